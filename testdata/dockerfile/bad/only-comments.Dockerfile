# a comment

#
