"""Secrets at fixed places of what people and programs write: addresses, headers, commands, statements.

RE2 patterns; the group that matched is the secret.
"""

from bot.core.redaction.secret_words import MARKS, NAME

MAYBE: tuple[str, ...] = (
    # A usual user and what may be the password: it has to be made like one.
    r"(?i)(?:^|[\s\"'(\[,=])(?:admin|administrator|root|postgres|elastic|guest|sa)(?::| ?/ ?)([^\s\"'<>]{6,60})",
    r"(?i)\b(?:creds?|credentials|login|zugangsdaten)\s?(?:[:=]|->)?\s?[\w.@\-]{2,30}\s?[/:]\s?([^\s\"'/,;]{6,60})",
    r"(?i)(\S{6,60}?)[\"'`]?\s(?:as|is|was)\s(?:(?:the|my|our|a|its|your)\s)?(?:new\s)?(?:password|passphrase|secret|token|"
    r"api key|pin)\b",
    r"(?i)(?:creds?|credentials?|auth|login|authenticate|signin|connect(?:ion)?)\s*[:=]?\s*[(\[]\s*(?:[\w$.]{1,30}\s*,\s*)?"
    r"[\"'][^\"']{1,80}[\"']\s*,\s*[\"']([^\"']{3,})[\"']",
    r"(?i)\b(?:jwt\.(?:sign|encode|verify|decode)|createHmac|hmac\.new|Sensitive)\((?:[^()\n]{1,60}?,\s*)?b?[\"']([^\"'\n]{6,})[\"']",
    r"(?i)\baddauth digest\s[^\s:]{1,40}:(\S{4,60})",
    r"(?i)\buser(?:name)?\s[^\s/]{1,40}\s?/\s?([^\s/,;]{4,60})",
    r"(?i)\bpass\\*[\"']?:\s?\\*[\"']?([^\s\"'/,;\\]{6,60})",
    r"(?i)\buser(?:name)?\s[^\s/]{1,40}(?:\s?/\s?|\s)(?:pass|pw|password)\s([^\s/,;\-][^\s/,;]{3,})",
    r"\b(?i:LOGIN)\s\S{1,60}\s([^\s/]{6,60})|(?m:^)(?:[<>]\s|C:\s)?PASS\s([^\s/]{6,60})",
    r"(?i)\b(?:change_password|add_user|set_password|set-password|chpasswd|net user|sp_addlogin|"
    r"sp_password)\s+\S{1,60}\s+[NE]?'?([^\s'\"]{4,60})",
)
"""Places where a secret may stand or something else."""
TELEPHONE = r"(?i)\b(?:tel|telefon|phone|mobile|cell|handy|fax|whatsapp)\b\.?\s?[:=]?\s?(\+?[0-9][0-9 ()/.\-]{5,16}[0-9])\b"
"""A number that its name tells: a date or a version may stand there too."""
SERVER = (
    r"\s-[uU]\s*[^\s,]{1,60}\s+-[pP]\s?[\"']?([^\s\"']{4,})|\bopenssl\b[^\n|]*?\s-k\s+([^\s\"']{4,})|"
    r"\bsnmp[a-z]+\b[^\n|]*?\s-[cAX]\s+[\"']?([^\s\"']{4,})|\bwpa_passphrase\s\S{1,40}\s([^\s\"']{8,})|"
    r"\bhtpasswd\s+-[a-zA-Z]*b[a-zA-Z]*\s+(?:\S{1,60}\s+){1,2}([^\s\"']{4,})(?:\s|$)|"
    r"\b[\w.\-]{1,40}:([^\s\"'|]{4,})[\"']?\s*\|\s*(?:sudo\s+)?chpasswd"
)
"""A user and a password; `-p` may be a port too."""
LOGIN = r"\bAUTH (?:PLAIN|LOGIN|CRAM-MD5|XOAUTH2)\s+([A-Za-z0-9+/]{6,}={0,2})"
"""What a client of a mail server says, in Base64."""
SCHEME = r"(?i)\b(?:proxy-)?authorization\\*[\"']?\s*[:=]\s*\\*[\"']?[a-z\-]{2,20}\s+([^\s\"'\\,;]{10,})"
"""An authorization by a scheme that nobody heard of, or a sentence about one."""
PHRASES: tuple[str, ...] = (
    # A count is none: `pass=120`.
    r"(?i)\bpass=[\"']?([^\s\"',;]*(?-i:[a-z][A-Z]|[A-Z]{2}[a-z]|[0-9][a-zA-Z]|[a-zA-Z][0-9]|[!#$%&?@])[^\s\"',;]*)",
    # A user's password, or a key in a user's place, in an address of any scheme.
    r"(?i)\b[a-z][a-z0-9+.\-]*://[^\s:/@\"'<>]*:([^\s@/\"'<>]+(?:/[^\s@/\"'<>]+)?)@",
    r"(?i)\b[a-z][a-z0-9+.\-]*://([0-9a-z_\-]{20,})(?::[^\s/@\"'<>]*)?@",
    # Headers and what curl and others take on the command line.
    r"(?i)\b(?:proxy-)?authorization\\*[\"']?\s*[:=]\s*\\*[\"']?(?:basic|bearer|token|apikey|negotiate|ntlm|ssws|key|"
    r"geniekey|splunk|"
    r"klog|bot|apitoken|api-token|sharedkey|sharedkeylite)\s+([^\s\"'\\,;]+)",
    r"(?i)\b(?:proxy-)?authorization\\*[\"']?\s*[:=]\s*\\*[\"']?(?:digest|hmac|signature|aws4-hmac-sha256|oauth|"
    r"hawk)\s+([^\s\"'\\][^'\n\\]*)",
    r"(?i)\bbearer\s+([A-Za-z0-9._~+/\-]{8,}=*)",
    r"(?i)\b(?:ssws|geniekey)\s+([A-Za-z0-9+/_\-]{12,}=*)",
    r"(?i)\b(?:set-)?cookie\\*[\"']?\s*[:=]\s*\\*[\"']?([^\s\"'\\][^\"'\n\\]*)",
    r"(?i)[?&;](?:token|access_token|api_?key|apikey|sig|signature|secret|password|pwd|pass|jwt|hmac|"
    r"x-[a-z]+-signature|x-[a-z]+-credential)=([^&;\s\"'#<>]{6,})",
    r"(?:^|\s)(?:-u|--user|--proxy-user)[\s=]+[\"']?[^\s:\"']{1,80}:([^\s\"']+)",
    r"(?i)\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|]*?\s-p([^\s\"'-][^\s\"']*)",
    r"\b(?:sshpass|(?:docker|podman|helm registry|az|oc|cf) login|twine upload|smbclient|mongo(?:sh|dump|restore)?)\b[^\n|]*?"
    r"\s-p\s?[\"']?([^\s\"']{4,})",
    r"\b(?:redis-cli\b[^\n|]*?\s-a|ldap(?:search|modify|add|delete|whoami|passwd|compare)?\b[^\n|]*?\s-w|(?:sqlcmd|unzip|zip)\b"
    r"[^\n|]*?\s-P)\s?[\"']?([^\s\"']{4,})",
    r"\b(?:echo|printf)\s+(?:-n\s+)?[\"']?([^\s\"'|]{4,})[\"']?\s*\|\s*(?:sudo -S|[^\n|]*?--password-stdin|[^\n|"
    r"]*?passwd --stdin)",
    r"\b(?:secrets?|SecureString|keyvault)\b[^\n]*?\s(?:--value|--secret-string|--body|<<<)[\s=]+[\"']?([^\s\"'=\-][^\s\"']{3,})",
    r"\b(?:secrets? set|config:set|create secret[^\n]*?--from-literal)[\s=]+[\w.\-]{1,60}=[\"']?([^\s\"']{4,})",
    r"\s--value[\s=]+[\"']?([^\s\"']{4,})[^\n]*?SecureString",
    r"\b(?:vault|wandb) login\s+([^\s\-][^\s]{7,})|\boperator unseal\s+([^\s\-][^\s]{7,})|\bkv put\s+\S*(?:pass|secret|"
    r"token|key)\S*\s+([^\s=]{4,})(?:\s|$)",
    r"(?i)SecureString\s+(?:-String\s+)?[\"']([^\"']{3,})[\"']|\"auth\" (?:\"[^\"]{1,60}\" )?\"([^\"]{3,})\"|"
    r"\bacl setuser\b[^\n]*?\s>(\S{4,})",
    r"(?i)\bnet use(?:r)?\s[^\n]*?/user:\S+\s+([^\s/]{4,})",
    r"\br[ow]community6?\s+([^\s]{4,})",
    r"(?i)\b(?:community string|snmp\w*[^\n]*?\scommunity)\s*[:=]?\s*[\"']?([^\s\"']*[0-9!#$%&@][^\s\"']*)",
    r"(?i)\b(?:password|secret)\s[0-9]\s([^\s\[]*[0-9][^\s\[]*[0-9][^\s\[]*)",
    r"(?i)\bhttp-?basic(?:-auth)?[\s:=]+\S{1,60}:(\S+)",
    r"(?i)\b(?:identified by|with(?: encrypted)? password|password)\s*[=(]?\s*[NE]?'([^'\n]{3,})'",
    r"(?i)\b(?:seed|recovery|mnemonic|secret)[ _]?(?:phrase|words)?[\"']?\s*[:=]\s*[\"']?([a-z]{3,8}(?: [a-z]{3,8}){11,23})",
    # Oracle's way to write user, password and place.
    r"(?i)\b(?:thin:|oci:|oracle:|sqlplus\s|rman\s|expdp\s|impdp\s|sqlldr\s)[^\s/@]{0,60}/([^\s/@:\"']{4,})@",
    r"(?i)\b(?:otp|verification|one-time|2fa|mfa|security|sms|login|auth)[ \-](?:code|pin|password)\s*"
    r"(?:is|:|=|was)?\s*([0-9]{4,8}|[0-9]{3}[ \-][0-9]{3})\b",
    # A pair of name and value, the value first.
    rf"(?i){MARKS}(?:value|val){MARKS}\s{{0,4}}[:=]\s{{0,4}}\\*[\"']([^\"'\n\\]{{3,}})\\*[\"'][\s,;]{{1,8}}"
    rf"{MARKS}(?:name|key){MARKS}\s{{0,4}}[:=]\s{{0,4}}{MARKS}{NAME}{MARKS}[\s,;}}]",
    # The private members of a JSON Web Key.
    r"\\*\"(?:d|k|p|q|dp|dq|qi)\\*\"\s*:\s*\\*\"([A-Za-z0-9_\-]{16,})\\*\"",
    r"(?i)\bsignature\\*[\"']?\s*[:=]\s*\\*[\"']?(?:t=[0-9]+,)?(?:v[0-9]|sha[0-9]+)=([0-9a-f]{32,})",
    # pgpass: host, port, database, user, password.
    r"(?:^|\s)(?:\*|[\w.\-]*[A-Za-z.][\w.\-]*):(?:[0-9]{2,5}|\*):(?:\*|[A-Za-z][\w\-]*):[A-Za-z][\w\-]*:((?:[^\s:\\]|"
    r"\\.){4,})(?:\s|$)",
    # One-time keys, and the answer to a signature.
    r"(?i)\botpauth://[^\s\"']*?secret=([A-Z2-7=]{8,})",
    r"(?i)\bpw\s?[:=]\s?([^\s\"'/,;]*(?:[0-9][^\s\"',;]*[a-z!#$%&?]|[a-z!#$%&?][^\s\"',;]*[0-9!#$%&?])[^\s\"',;]*)",
    r"(?i)\b(?:pw|pass|creds?|credentials|login|"
    r"zugangsdaten)\s?[:=]\s?[\w.@\-]{2,30}\s?[/:]\s?([^\s\"'/,;]*[0-9!#$%&?][^\s\"',;]*)",
    r"(?:\blftp\b[^\n]*?\s-u\s+[^\s,]{1,60},)[\"']?([^\s\"']{4,})|\s-U\s?[^\s%]{1,60}%([^\s\"']{4,})|"
    r"\bhttps?\s+-a\s+[^\s:]{1,60}:([^\s\"']+)",
    r"(?i)type=[\"']password[\"'][^<>]*?\svalue=[\"']([^\"']{3,})",
    r"\bkubectl\b[^\n]*?\bsecrets?\b[^\n]*?\s([A-Za-z0-9+/]{6,}={1,2})(?:\s|$)",
    # Short numbers and codes that one word before them tells.
    r"(?i)\bpin(?: ?code)?\s?[:=]\s?([0-9]{4,8})\b|\b(?:your|my|the) (?:login |sign-in |security )?code is ([0-9]{6,8})\b",
    r"(?i)\b(?:recovery|backup|scratch)[ _\-]codes?\s?[:=]?\s?"
    r"([a-z0-9]{4,}-[a-z0-9\-]{4,}(?:[ ,;]+[a-z0-9]{4,}-[a-z0-9\-]{4,})*)",
    r"(?i)\b(?:dob|born(?: on)?|date of birth)\s?[:=]?\s?([0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4})|%B([0-9]{13,19})\^|"
    r";([0-9]{13,19})=[0-9]{4}",
    r"(?i)\bsignature=\\*[\"']?([A-Za-z0-9+/=%_~\-]{16,})|\bresponse=\\*\"([0-9a-f]{32})\\*\"",
    r"(?i)\b(?:cvc|cvv2?|cvn)\s?[:=]?\s?([0-9]{3,4})\b|\bein\s?[:=]?\s?([0-9]{2}-[0-9]{7})\b",
    # A line of shadow or htpasswd, and Kubernetes' bootstrap tokens.
    r"(?i)\b(?:kubeadm join|bootstrap)[^\n]*?\b([a-z0-9]{6}\.[a-z0-9]{16})\b",
    r"(?i)\b(?:accountkey|sharedaccesskey|sharedsecret|sharedaccesssignature)=([^\s;\"']{8,})",
)
