"""The rules of layers, and that a comparison sees every kind of difference."""

import io
import json
import tarfile
import unittest

from compare import config_differences, tree_differences, unmet_expectations
from image_tree import Node, apply_layer, link_groups, new_tree


def layer(*members):
    """An uncompressed layer; a member is a name, its kind, and what belongs to it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind, *rest in members:
            member = tarfile.TarInfo(name)
            member.mode = 0o644
            content = b""
            if kind == "dir":
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            elif kind in ("link", "hard"):
                member.type = tarfile.SYMTYPE if kind == "link" else tarfile.LNKTYPE
                member.linkname = rest[0]
            else:
                content = rest[0].encode() if rest else b""
                member.size = len(content)
                member.pax_headers = rest[1] if len(rest) > 1 else {}
            archive.addfile(member, io.BytesIO(content))
    out.seek(0)
    return out


def flattened(*layers):
    tree = new_tree()
    for stream in layers:
        apply_layer(tree, stream)
    return tree


class Layers(unittest.TestCase):
    def test_whiteout_removes_a_subtree_of_lower_layers(self):
        tree = flattened(layer(("d", "dir"), ("d/a", "file"), ("dd", "file")), layer((".wh.d", "file")))
        self.assertEqual(sorted(tree), ["/", "/dd"])

    def test_whiteout_leaves_its_own_layer_alone(self):
        for members in ((("a", "file", "new"), (".wh.a", "file")), ((".wh.a", "file"), ("a", "file", "new"))):
            tree = flattened(layer(("a", "file", "old")), layer(*members))
            self.assertEqual(tree["/a"].text, b"new")

    def test_opaque_directory_hides_lower_layers(self):
        for order in (1, -1):
            members = [("d/new", "file"), ("d/.wh..wh..opq", "file")][::order]
            tree = flattened(layer(("d", "dir"), ("d/old", "file"), ("e", "file")), layer(("d", "dir"), *members))
            self.assertEqual(sorted(tree), ["/", "/d", "/d/new", "/e"])

    def test_a_file_replaces_a_directory_and_back(self):
        below = layer(("d", "dir"), ("d/a", "file"), ("f", "file"))
        tree = flattened(below, layer(("d", "file"), ("f", "dir"), ("f/b", "file")))
        self.assertEqual(sorted(tree), ["/", "/d", "/f", "/f/b"])
        self.assertEqual((tree["/d"].kind, tree["/f"].kind), ("file", "dir"))

    def test_a_directory_keeps_its_children_when_it_is_named_again(self):
        self.assertIn("/d/a", flattened(layer(("d", "dir"), ("d/a", "file")), layer(("./d/", "dir"))))

    def test_missing_parents_are_made(self):
        self.assertEqual(flattened(layer(("a/b/c", "file")))["/a/b"].kind, "dir")

    def test_hard_links_are_one_file_until_one_is_replaced(self):
        tree = flattened(layer(("a", "file", "x"), ("b", "hard", "a"), ("c", "hard", "a")))
        self.assertEqual(link_groups(tree)["/b"], ("/a", "/b", "/c"))
        tree = flattened(layer(("a", "file", "x"), ("b", "hard", "a"), ("c", "hard", "a")), layer(("a", "file", "y")))
        self.assertEqual(link_groups(tree), {"/b": ("/b", "/c"), "/c": ("/b", "/c")})

    def test_extended_attributes(self):
        tree = flattened(layer(("a", "file", "x", {"SCHILY.xattr.user.k": "v"})))
        self.assertEqual(tree["/a"].xattrs, {"user.k": b"v".hex()})

    def test_members_that_leave_the_root_stay_inside(self):
        self.assertEqual(sorted(flattened(layer(("../../a", "file")))), ["/", "/a"])


class Comparison(unittest.TestCase):
    def test_every_property_counts(self):
        ours = flattened(layer(("a", "file", "x"), ("l", "link", "a"), ("d", "dir")))
        changes = {"mode": 0o600, "uid": 1, "gid": 1, "digest": "0", "size": 9, "kind": "fifo", "xattrs": {"user.k": ""}}
        for key, value in changes.items():
            theirs = flattened(layer(("a", "file", "x"), ("l", "link", "a"), ("d", "dir")))
            setattr(theirs["/a"], key, value)
            self.assertEqual(len(tree_differences(ours, theirs, [], [])), 1, key)
        theirs = flattened(layer(("a", "file", "x"), ("l", "link", "b"), ("d", "dir"), ("more", "hard", "a")))
        # The link's target, the new name, and the group of both names.
        self.assertEqual(len(tree_differences(ours, theirs, [], [])), 3)
        self.assertEqual(tree_differences(ours, theirs, ["/l", "/more", "/a"], []), [])

    def test_times_only_where_asked(self):
        ours, theirs = {"/a": Node("file", mtime=1)}, {"/a": Node("file", mtime=2)}
        self.assertEqual(tree_differences(ours, theirs, [], []), [])
        self.assertEqual(len(tree_differences(ours, theirs, [], ["/a"])), 1)

    def test_config_ignores_what_builders_add(self):
        ours = {"config": {"Cmd": None, "Labels": None}, "os": "linux", "architecture": "amd64"}
        theirs = {"config": {"Labels": {"io.buildah.version": "1"}, "Env": []}, "os": "linux", "architecture": "amd64"}
        self.assertEqual(config_differences(ours, theirs, "buildah"), [])
        theirs["config"]["Cmd"] = ["x"]
        self.assertEqual(len(config_differences(ours, theirs, "buildah")), 1)

    def test_expectations(self):
        class Image:
            config = {"config": {"Cmd": ["x"]}, "os": "linux", "architecture": "amd64"}
        tree = flattened(layer(("a", "file", "x\n"), ("l", "link", "a")))
        met = ["config Cmd " + json.dumps(["x"]), "config Env null", "tree /a file 0644 0:0 text=x", "absent /b /c",
               "tree /l link target=a"]
        self.assertEqual(unmet_expectations(met, Image, tree), [])
        unmet = ["config Cmd null", "tree /a file 0600", "tree /a dir", "tree /a file text=y", "tree /b file", "absent /b /a",
                 "tree /l link target=b", "tree /a file links=2"]
        self.assertEqual(len(unmet_expectations(unmet, Image, tree)), len(unmet))


if __name__ == "__main__":
    unittest.main()
