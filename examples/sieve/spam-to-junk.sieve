# Files what Lazaret marked as spam into Junk (RFC 5228; "mailbox": RFC 5490).
require ["fileinto", "mailbox"];

if header :is "X-Spam-Flag" "YES" {
    fileinto :create "Junk";
    stop;
}
