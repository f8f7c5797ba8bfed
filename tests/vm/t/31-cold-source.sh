# shows: a write whose source is a cold mapping of the same file, of its clone, or of
#        the file that fills the fragment ends, and writes the right bytes; and so
#        does a read into such a mapping
. /tests/lib.sh

fresh_xfs
mkdir $LOWER/native
coldsource $LOWER/native
fold_mount
coldsource $FOLD
