# A message that its reader takes out of Junk is taught as ham, unless it goes to the bin (IMAPSieve: RFC 6785).
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables"];

if environment :matches "imap.mailbox" ["Trash", "Deleted*", "Archive/Junk"] {
    stop;
}
if environment :matches "imap.user" "*" {
    set "user" "${1}";
    pipe :copy :try "lazaret-ham" ["${user}"];
}
