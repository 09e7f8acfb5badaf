FROM a
ADD local.tar.gz /d/
ADD --unpack=false local.tar.gz /d/
ADD --unpack https://example.com/a.tar.gz /d/
ADD https://example.com/dir/file.txt /d/
ADD http://example.com/ /d/
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/a /d/
ADD --checksum=$SUM https://example.com/a /d/
ADD git@github.com:owner/repo.git /src
ADD ssh://git@example.com/repo.git#v1 /src
ADD git://example.com/repo.git /src
ADD https://github.com/owner/repo.git#main:sub/dir /src
ADD https://github.com/owner/repo.git?ref=main&subdir=sub&submodules=false /src
ADD https://github.com/owner/repo.git?tag=v1&checksum=0123456 /src
ADD --keep-git-dir https://github.com/owner/repo.git?mtime=commit /src
ADD --keep-git-dir=false --link --checksum=0123456789012345678901234567890123456789 https://github.com/o/r.git /src
ADD github.com/owner/repo /a-local-path
ADD --chown=1:1 --chmod=755 --exclude=*.md . /d
ADD <<one <<two /d/
$A
one
2
two
