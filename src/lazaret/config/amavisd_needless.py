"""Variables of amavisd.conf that no setting of ours answers to, and what to do in the place of each."""

import re

_MACHINERY = re.compile(
    r"[$@%](?:ENV|path|file|gzip|bzip2|xz|lzop|lrzip|lz4|rpm2cpio|cabextract|uncompress|unfreeze|arc|unarj|unrar"
    r"|zoo|lha|pax|cpio|ar|ripole|dspam|p7zip|tnef|altermime|MYHOME|mydomain|TEMPBASE|HOME|db_home|pid_file|lock_file"
    r"|daemon_\w+|max_requests|(?:max|min)_(?:spare_)?servers|(?:child|smtpd)_timeout|listen_queue_size"
    r"|enable_(?:db|zmq|global_cache)|zmq_sockets|nanny_details_level|log_level|log_templ|log_recip_templ"
    r"|syslog_(?:ident|priority)|logline_maxlen|MAXLEVELS|MAXFILES|M(?:IN|AX)_EXPANSION_\w+|unix_socket_mode"
    r"|quarantine_subdir_levels|additional_perl_modules|decoders|keep_decoded_original_maps|map_full_type_\w+"
    r"|mail_(?:part_)?digest_algorithm|smtp_connection_cache_\w+|database_sessions_persistent|sa_debug"
    r"|snmp_\w+|timestamp_fmt_mysql|insert_received_line|allow_preserving_evidence|localpart_is_case_sensitive)"
)

_MEANINGS = (
    (r"@av_scanners\w*|\$\w*virus_scanners\w*|@virus_name\w*", "set your virus scanner up anew"),
    (
        r"[$@%]\w*(?:white|black)list\w*|[@%]score_sender\w*",
        "for senders there are `lazaret allow` and `block`",
    ),
    (r"[$@%]bypass_\w+|[$@%]\w+_lovers\w*", "exceptions by recipient: `lazaret policy`"),
    (
        r"[$@]\w*admin\w*|\$mailfrom_\w+|\$hdrfrom_\w+|[$@]warn\w+|\$notify_\w+",
        "Lazaret mails no such notices",
    ),
    (r"\$sa_\w*dsn_cutoff\w*|@\w*dsn_cutoff\w*", "Lazaret sends no bounces for spam"),
    (r"\$QUARANTINEDIR", "`lazaret import amavis-files DIR` takes over what lies there"),
    (r"[$@%]\w*quarantine\w*", "the quarantine is the database"),
    (r"\$sa_mail_body_size_limit", "the whole message is looked at"),
    (r"[$@%]\w*banned\w*|\$final_banned_\w+", "set up anew what attachments are banned"),
    (r"\$sa_(?:configpath|siteconfigpath|userconf\w*)", "rules.paths names directories of rules"),
    (r"\$(?:sql_)?partition_tag", 'rows are found in any partition; ours: store.partition_tag = "iso-week"'),
    (r"\$mydomain|chomp", "a value that only this machine knows"),
    (r"[$@%]\w*dkim\w*", "sign outgoing mail before it comes to Lazaret"),
    (r"@lookup_sql_dsn", "store.url names one database for all"),
)
_COMPILED = [(re.compile(pattern), text) for pattern, text in _MEANINGS]


def is_machinery(name: str) -> bool:
    """Whether the variable is about amavisd's processes and helpers, not about mail."""
    return _MACHINERY.fullmatch(name) is not None


def meaning_of(name: str) -> str:
    """What to do in its place; "" when there is nothing to say."""
    return next((text for pattern, text in _COMPILED if pattern.fullmatch(name)), "")
