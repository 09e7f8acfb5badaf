"""Reads an image from a directory (OCI layout or containers/image's `dir:`) and flattens its layers into one file tree.

A tree is a dict from absolute path to Node. The rules are those of the OCI image specification's layer chapter: whiteouts,
opaque directories, a non-directory replaces a subtree, a hard link names a path of the tree so far.
"""

import bz2
import gzip
import hashlib
import json
import lzma
import os
import subprocess
import tarfile

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"

_KINDS = {
    tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.CONTTYPE: "file", tarfile.GNUTYPE_SPARSE: "file",
    tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "link", tarfile.FIFOTYPE: "fifo",
    tarfile.CHRTYPE: "char", tarfile.BLKTYPE: "block",
}


class Node:
    """One inode; two paths of a tree that hold the same object are hard links of one file."""

    __slots__ = ("kind", "mode", "uid", "gid", "size", "digest", "target", "xattrs", "device", "mtime", "text")

    def __init__(self, kind, mode=0o755, uid=0, gid=0, mtime=0):
        self.kind, self.mode, self.uid, self.gid, self.mtime = kind, mode, uid, gid, mtime
        self.size, self.digest, self.target, self.device, self.text = 0, "", "", None, None
        self.xattrs = {}

    def owner(self):
        return "%d:%d" % (self.uid, self.gid)


class Image:
    """config: the whole configuration as JSON; layers: opened by open_layer(i); diff_ids as in the configuration."""

    def __init__(self, directory, config, layers):
        self._directory, self.config, self._layers = directory, config, layers
        self.diff_ids = config.get("rootfs", {}).get("diff_ids") or []
        if len(self.diff_ids) != len(layers):
            raise ValueError("%d layers but %d diff_ids" % (len(layers), len(self.diff_ids)))

    def open_layer(self, index):
        return _decompressed(_blob_path(self._directory, self._layers[index]["digest"]))


def _blob_path(directory, digest):
    algorithm, value = digest.split(":")
    for path in (os.path.join(directory, "blobs", algorithm, value), os.path.join(directory, value)):
        if os.path.exists(path):
            return path
    raise ValueError("no blob %s in %s" % (digest, directory))


def load_image(directory):
    """The only image of an OCI layout, or the image of a `dir:` directory. Indexes with one platform are followed."""
    def read_json(digest):
        with open(_blob_path(directory, digest), "rb") as file:
            data = file.read()
        if "sha256:" + hashlib.sha256(data).hexdigest() != digest:
            raise ValueError("blob %s has another digest" % digest)
        return json.loads(data)

    if os.path.exists(os.path.join(directory, "manifest.json")):
        with open(os.path.join(directory, "manifest.json"), encoding="utf-8") as file:
            manifest = json.load(file)
    else:
        with open(os.path.join(directory, "index.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        while "manifests" in manifest:
            images = [entry for entry in manifest["manifests"]
                      if entry.get("annotations", {}).get("vnd.docker.reference.type") != "attestation-manifest"]
            if len(images) != 1:
                raise ValueError("%d images in %s" % (len(images), directory))
            manifest = read_json(images[0]["digest"])
    return Image(directory, read_json(manifest["config"]["digest"]), manifest.get("layers") or [])


def _decompressed(path):
    with open(path, "rb") as file:
        magic = file.read(6)
    if magic[:2] == b"\x1f\x8b":
        return gzip.open(path)
    if magic[:4] == b"\x28\xb5\x2f\xfd":
        return subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE).stdout
    if magic[:3] == b"BZh":
        return bz2.open(path)
    if magic == b"\xfd7zXZ\0":
        return lzma.open(path)
    return open(path, "rb")


class Flattener:
    """Flattens images; remembers the tree below `base_diff_ids`, which most images share."""

    def __init__(self, base_diff_ids=()):
        self._base_diff_ids = list(base_diff_ids)
        self._base_tree = None

    def flatten(self, image):
        depth = len(self._base_diff_ids)
        if depth and image.diff_ids[:depth] == self._base_diff_ids:
            if self._base_tree is None:
                tree = new_tree()
                for index in range(depth):
                    apply_layer(tree, image.open_layer(index))
                self._base_tree = tree
            # Nodes are replaced and never changed by apply_layer, so a shallow copy is enough.
            tree, first = dict(self._base_tree), depth
        else:
            tree, first = new_tree(), 0
        for index in range(first, len(image.diff_ids)):
            apply_layer(tree, image.open_layer(index))
        return tree


def new_tree():
    return {"/": Node("dir")}


def apply_layer(tree, stream):
    """Applies one uncompressed layer to the tree. Whiteouts act on lower layers alone, wherever they stand in the tar."""
    made = set()  # paths of this layer, which its own whiteouts leave alone
    with stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = _clean(member.name)
            parent, name = os.path.split(path)
            if name == OPAQUE:
                _remove_children(tree, parent, made)
            elif name.startswith(WHITEOUT):
                _remove(tree, os.path.join(parent, name[len(WHITEOUT):]), made)
            else:
                _add(tree, path, _node(archive, member, tree), made)


def _clean(name):
    path = os.path.normpath("/" + name.lstrip("/"))
    if ".." in path.split("/"):
        raise ValueError("a member leaves the root: %r" % name)
    return path


def _node(archive, member, tree):
    if member.islnk():
        target = _clean(member.linkname)
        if target not in tree:
            raise ValueError("%r is a hard link to %r, which is not there" % (member.name, target))
        return tree[target]
    node = Node(_KINDS[member.type], member.mode & 0o7777, member.uid, member.gid, member.mtime)
    for key, value in member.pax_headers.items():
        if key.startswith("SCHILY.xattr."):
            node.xattrs[key[len("SCHILY.xattr."):]] = value.encode("utf-8", "surrogateescape").hex()
    if node.kind == "link":
        node.target, node.mode = member.linkname, 0o777
    elif node.kind in ("char", "block"):
        node.device = (member.devmajor, member.devminor)
    elif node.kind == "file":
        _read_content(node, archive.extractfile(member))
    return node


def _read_content(node, content):
    digest, kept = hashlib.sha256(), b""
    while chunk := content.read(1 << 20):
        digest.update(chunk)
        node.size += len(chunk)
        if node.size <= 4096:
            kept += chunk
    node.digest = digest.hexdigest()
    if node.size <= 4096:
        node.text = kept


def _add(tree, path, node, made):
    old = tree.get(path)
    if old is not None and old.kind == "dir" and node.kind != "dir":
        _remove_children(tree, path, set())
    parent = os.path.dirname(path)
    missing = []
    while parent not in tree or tree[parent].kind != "dir":
        missing.append(parent)
        parent = os.path.dirname(parent)
    # A layer may leave out parents; every implementation then makes them as root's with 0755.
    for parent in reversed(missing):
        tree[parent] = Node("dir")
    tree[path] = node
    while path not in made:
        made.add(path)
        path = os.path.dirname(path)


def _remove(tree, path, made):
    if path not in made:
        tree.pop(path, None)
    _remove_children(tree, path, made)


def _remove_children(tree, path, made):
    prefix = path.rstrip("/") + "/"
    for other in [other for other in tree if other.startswith(prefix) and other != "/" and other not in made]:
        del tree[other]


def link_groups(tree):
    """From path to the sorted tuple of all paths of the same file; files with one name are left out."""
    names = {}
    for path, node in tree.items():
        if node.kind != "dir":
            names.setdefault(id(node), []).append(path)
    return {path: tuple(sorted(paths)) for paths in names.values() if len(paths) > 1 for path in paths}
