# A message that its reader moves or copies into Junk is taught as spam (IMAPSieve: RFC 6785).
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables"];

if environment :matches "imap.user" "*" {
    set "user" "${1}";
    pipe :copy :try "lazaret-spam" ["${user}"];
}
