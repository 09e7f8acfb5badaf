FROM a
RUN <<-ONE
		x
	 y
 	z
		ONE
RUN cat <<-A - <<B
	x
	A
	y
B
COPY <<-F /f
	stripped
	F
RUN <<-SH
	#!/bin/sh
	echo
	SH
ONBUILD RUN <<-ON
	kept in the trigger
	ON
