"""What is compared between two builds of one case, and what is left out because it is different by design."""

import json
import shlex

from image_tree import link_groups

CONFIG_KEYS = ("Env", "Cmd", "Entrypoint", "User", "WorkingDir", "ExposedPorts", "Volumes", "Labels", "StopSignal",
               "Healthcheck", "Shell", "OnBuild")

# Buildah signs its images with a label.
BUILDER_LABELS = ("io.buildah.version",)


def comparable_config(config):
    """The part of an OCI configuration that Dockerfiles decide. Absent, null, "" and empty collections are one."""
    inner = dict(config.get("config") or {})
    labels = {key: value for key, value in (inner.get("Labels") or {}).items() if key not in BUILDER_LABELS}
    inner["Labels"] = labels
    result = {key: inner[key] for key in CONFIG_KEYS if inner.get(key)}
    if config.get("author"):
        result["author"] = config["author"]
    result["platform"] = "%s/%s" % (config.get("os"), config.get("architecture"))
    return result


def config_differences(ours, theirs, reference):
    ours, theirs = comparable_config(ours), comparable_config(theirs)
    if reference == "buildah" and ours.get("WorkingDir") == "/" and "WorkingDir" not in theirs:
        # BuildKit names the root as the working directory of an image FROM scratch; it is what an absent one means.
        del ours["WorkingDir"]
    return ["config %s: ours %s, theirs %s" % (key, json.dumps(ours.get(key)), json.dumps(theirs.get(key)))
            for key in sorted(set(ours) | set(theirs)) if ours.get(key) != theirs.get(key)]


def history_differences(ours, theirs):
    """Only BuildKit's history can be compared: what made each layer, and which steps made none. It writes an empty layer
    where a COPY, RUN or WORKDIR changes nothing; we write none, and that is no difference here."""
    def steps(config):
        return [(entry.get("created_by", ""), bool(entry.get("empty_layer"))) for entry in config.get("history") or []]
    ours, theirs = steps(ours), steps(theirs)
    result = []
    for index in range(max(len(ours), len(theirs))):
        our = ours[index] if index < len(ours) else None
        their = theirs[index] if index < len(theirs) else None
        if our != their and not (our and their and our == (their[0], True)):
            result.append("history %d: ours %r, theirs %r" % (index, our, their))
    return result


def tree_differences(ours, theirs, ignore, times):
    our_links, their_links = link_groups(ours), link_groups(theirs)
    result = []
    for path in sorted(set(ours) | set(theirs)):
        if any(path == other or path.startswith(other.rstrip("/") + "/") for other in ignore):
            continue
        our, their = ours.get(path), theirs.get(path)
        if our is their:
            continue
        if our is None or their is None:
            result.append("%s: %s" % (path, "ours has no such path, theirs is %s" % describe(their) if our is None
                                      else "ours is %s, theirs has no such path" % describe(our)))
            continue
        first, second = describe(our), describe(their)
        if first != second:
            result.append("%s: ours %s, theirs %s" % (path, first, second))
        if our_links.get(path) != their_links.get(path):
            result.append("%s: ours links %s, theirs %s" % (path, our_links.get(path), their_links.get(path)))
        if path in times and int(our.mtime) != int(their.mtime):
            result.append("%s: ours is of %d, theirs of %d" % (path, our.mtime, their.mtime))
    return result


def describe(node):
    words = [node.kind]
    if node.kind != "link":
        words.append("%04o" % node.mode)
    words.append(node.owner())
    if node.kind == "file":
        words += ["%d bytes" % node.size, node.digest[:12]]
    if node.target:
        words.append("-> " + node.target)
    if node.device:
        words.append("%d,%d" % node.device)
    words += ["%s=0x%s" % item for item in sorted(node.xattrs.items())]
    return " ".join(words)


def unmet_expectations(expectations, image, tree):
    """The @expect lines of a case that do not hold, each with what is there instead."""
    config = comparable_config(image.config)
    result = []
    for line in expectations:
        kind, _, rest = line.partition(" ")
        if kind == "config":
            key, _, value = rest.partition(" ")
            if config.get(key) != (json.loads(value) or None):
                result.append("expected config %s %s, got %s" % (key, value, json.dumps(config.get(key))))
        elif kind == "absent":
            for path in shlex.split(rest):
                if path in tree:
                    result.append("expected no %s, got %s" % (path, describe(tree[path])))
        elif kind == "tree":
            rest, has_text, text = rest.partition(" text=")
            result += _unmet_node(tree, shlex.split(rest), text.replace("\\n", "\n") if has_text else None)
        else:
            result.append("unknown expectation: " + line)
    return result


def _unmet_node(tree, words, text):
    path, kind, *rest = words
    node = tree.get(path)
    if node is None:
        return ["expected %s, but there is no such path" % path]
    unmet = [] if node.kind == kind else ["kind " + kind]
    for word in rest:
        key, _, value = word.partition("=")
        if key == "target":
            holds = node.target == value
        elif key == "links":
            holds = len(link_groups(tree).get(path, (path,))) == int(value)
        elif key == "size":
            holds = node.size == int(value)
        elif key == "xattr":
            holds = value in node.xattrs
        elif key == "mtime":
            holds = int(node.mtime) == int(value)
        elif ":" in word:
            holds = node.owner() == word
        else:
            holds = node.mode == int(word, 8)
        if not holds:
            unmet.append(word)
    if text is not None and (node.text is None or node.text.decode().rstrip("\n") != text):
        unmet.append("text=%r" % text)
    if not unmet:
        return []
    found = " text=%r" % node.text.decode(errors="replace") if node.text is not None else ""
    return ["expected %s %s, got %s%s" % (path, " ".join(unmet), describe(node), found)]
