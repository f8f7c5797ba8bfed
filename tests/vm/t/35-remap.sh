# shows: MADV_REMOVE and remap_file_pages, which act on a mapping's file directly,
#        stay coherent on shared mappings, and so do the other kinds of advice
. /tests/lib.sh

fresh_xfs
mkdir $LOWER/native
remap $LOWER/native
fold_mount
remap $FOLD
