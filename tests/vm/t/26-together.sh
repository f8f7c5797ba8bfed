# shows: clones that are mapped at the same moment, before they were ever read, end up with
#        one copy in memory, though their joins get in one another's way: idle and beside
#        busy loops, mapped private, shared and executable
# timeout: 300
. /tests/lib.sh
. /tests/together.inc

map_together 6
