"""What to do about an archive that cannot be read, as its readers say it: the last sentence of their errors."""

DAMAGED = "The archive is damaged or was made by hand: get it again from its source and compare its checksum"
CUT_OFF = "Its download or copy stopped early: get it again, or continue it"
NO_ARCHIVE = "Look at what it is (a web page saved in its place?), and get the archive again"
