"""The words by which people and programs call a secret, in the languages that on-call engineers write in."""

import re2

Span = tuple[int, int]
"""Where a secret stands in a text: start and end."""

MARKS = r"(?:\\*[\"'`]|&quot;|&#3[49];|\*{1,2})?"
"""What may stand around a name: quotation marks, plain, escaped or as entities, and bold type."""
PASSWORD = (
    r"pass(?:[ _\-]?(?:word|phrase|code)|wd|wort)|passw|pwd|pswd|(?:\b|_)psw|[_\-.]pass|secrets?|credentials?|creds|(?:\b|"
    r"_)cred|"
    r"(?:user|smtp|db|root|admin|mail|require|ssh|store|key|trust|sudo|become|vault|gpg|pg|http|proxy|ldap|ftp|wifi|login|"
    r"sql)pass|"
    r"(?:bind|root|admin|user|db|ldap|sudo|mgr)pw|[_\-.]pw|pass_?key|totp_?seed|masterauth|kennwort|zugangs(?:daten|code)|"
    r"geheimnis|contrase(?:ñ|n)a|senha|palavra-passe|mot[_ ]?de[_ ]?passe|(?:\b|_)mdp|"
    r"code d'acc[èe]s|parola d'ordine|(?:\b|_)parol[aăe]|wachtwoord|(?:\b|_)has[łl]o|(?:\b|_)heslo|(?:\b|_)geslo|l[öo]senord|"
    r"adgangskode|kodeord|passord|salasana|jelsz[óo]|[şs]ifre|lozinka|slapta[žz]odis|parool|п[аa][рp][оo]ль|"
    r"п[аa][рp][оo]л[аa]|лозинка|κωδικός|συνθηματικό|"
    r"密码|密碼|口令|パスワード|暗証番号|비밀번호|암호|סיסמ[הא]|كلمة (?:ال)?(?:مرور|سر)|पासवर्ड|รหัสผ่าน|mật[ _]khẩu|"
    r"mat_?khau|kata_?sandi"
)
TOKEN = (
    r"tokens?|jwt|bearer|_?authtoken|session_?id|sessionid|phpsessid|jsessionid|connect\.sid|aspnetcore\.\w+|"
    r"otp|totp|mfa_?code|cvv2?|cvc|pin_?code|токен|令牌|トークン|토큰|crumb|(?:\b|_)jeton"
)
_KEY_OF = (
    r"api|access|secret|private|signing|signature|encryption|encrypt|decryption|encryptor|routing|integration|license|licence|"
    r"account|master|shared|client|ingest|application|app|storage|ssh|ssl|tls|webhook|deploy|hmac|jwt|(?:\b|_)(?:aes|rsa|"
    r"des|dd|sas|erl)|consumer|"
    r"subscription|admin|root|service|write|read|auth|bot|server|project|tenant|event|events|instrumentation|backup|recovery|"
    r"unseal|shared_?access|rndc|tsig|wep|wpa|psk|session|cookie|data|dsn|push|function|functions|system|security|"
    r"transport|gossip|cluster|erlang|preshared|pre_shared|fernet|stripe|global|fastly|openai|anthropic|feed|wallet"
)
KEY = (
    rf"(?:{_KEY_OF})[_\-. ]?(?:api[_\-]?|access[_\-]?|app[_\-]?)?keys?(?:[_\-]?(?:id|base|material))?|"
    r"apikey|accesskey|secretkey|(?:\b|_)[dk]ek|enc_key|kms_key|(?:api|zugangs|geheim)[_\- ]?schl(?:ü|ue)ssel|"
    r"cl[ée][ _](?:api|secr[èe]te|d'acc[èe]s)|"
    r"(?:clave|chave)(?:[ _](?:de )?(?:api|secreta|acceso|acesso|privada))?|ключ|密钥|秘密鍵|apiキー"
)
OTHER = (
    r"authorization|proxy-authorization|x-auth|x-amz-(?:credential|signature|security-token)|x-goog-(?:credential|signature)|"
    r"client-key-data|client-certificate-data|key-data|dockerconfigjson|\.dockerconfigjson|_auth|_password|"
    r"connection_?string|conn_?str|database_?url|dsn|nonce_?secret|seed_?phrase|mnemonic|recovery_?phrase|cookie_?value|psk|"
    r"secret_?id|[a-z]_session|access_?code|auth_?code|authorization_?code|verification_?code|[a-z]_cookie|code_verifier|"
    r"client_assertion|saml_?response|samlresponse|x-[a-z]+-signature(?:-[0-9]+)?|x-honeycomb-team|fastly-key|"
    r"bearer_?token_?[a-z]+"
)
PERSON = (
    r"card_?holder(?:[_\- ]?name)?|(?:customer|patient|holder|billing|full|first|last|given|family|sur|maiden|account_?holder|"
    r"beneficiary|passenger|guest|contact)[_\- ]?name|date_?of_?birth|"
    r"birth_?date|birthday|dob|ssn|social_?security(?:_?(?:no|number))?|national_?(?:id|insurance)|nino|aadhaar|cpf|pesel|"
    r"bsn|curp|"
    r"passport(?:[_ ]?(?:no|number))?|tax_?(?:id|number)|steuer[_\-]?(?:id|nummer)|iban|driver_?licen[cs]e|street_?address|"
    r"home_?address|billing_?address|"
    r"mrn|medical_?record(?:_?(?:no|number))?|account[_ ]?number|card_?number|phone(?:_?number)?|mobile(?:_?number)?|msisdn"
)
_SUFFIX = (
    r"(?:(?:text|value|string)|[_\-.](?:b64|base64|value|val|enc|encoded|encrypted|plain|text|data|string|hash|prod|"
    r"production|staging|dev|test|"
    r"old|new|"
    r"current|previous|main|primary|secondary|default|ro|rw|eu|us|[0-9]{1,2})|[0-9]{1,2})*"
)
_VENDOR = (
    r"stripe|twilio|sendgrid|mailgun|mailchimp|datadog|pagerduty|opsgenie|new_?relic|grafana|heroku|cloudflare|fastly|"
    r"algolia|okta|auth0|"
    r"openai|anthropic|hugging_?face|cohere|mistral|npm|pypi|docker_?hub|codecov|sonar(?:qube)?|snyk|circle_?ci|travis|"
    r"jenkins|artifactory|"
    r"atlassian|jira|notion|airtable|asana|trello|zendesk|intercom|hubspot|shopify|paypal|plaid|coinbase|telegram|discord|"
    r"dropbox|"
    r"spotify|mapbox|firebase|supabase|netlify|vercel|digital_?ocean|linode|launch_?darkly|amplitude|mixpanel|posthog|"
    r"honeycomb|"
    r"splunk|wandb|kaggle|replicate|pinecone|adafruit|confluent|contentful|meraki"
)
RANDOM_ONLY = (
    rf"(?:[A-Za-z0-9_.\-]*[_\-.])?(?:{_VENDOR})(?:[_\-](?:api|auth|access|cred|webhook|prod|live))?|"
    r"[A-Za-z0-9_.\-]*?[A-Za-z0-9][_\-]?key|(?:[A-Za-z0-9_.\-]*[_\-])?(?:salt|pepper|seed|verifier|pat|session|sid|"
    r"remember_?me|auth|sign|sig|hmac|encrypt|"
    r"(?:recovery|backup|activation|invite|reset|magic|one_?time|registration)_?(?:code|link))"
)
"""Names that hold a secret only if the value has high entropy: a `customer_key` may be anything."""
NO_SECRET_KEY = (
    r"(?i)(?:idempotency|incident|alert|event|websocket|cache|partition|sort|primary|foreign|dedup\w*|object|row|record|"
    r"lookup|index|group|hash|message|"
    r"unique|"
    r"natural|surrogate|shard|range|map|lock|public|pub|etag|fingerprint|s3|redis|kafka|item|order|user|correlation|trace|"
    r"request|"
    r"composite|business|join|search|translation|i18n|metric|label|tag|column|registry|bucket|storage_object|file|path|hot|"
    r"monkey|turnkey)"
    r"[_\-. ]?key|random_?seed|\bseed"
)
"""Keys that identify things and open nothing."""
NAME = rf"[A-Za-z0-9_.\-]*?(?:{PASSWORD}|{TOKEN}|{KEY}|{OTHER}|{PERSON})s?{_SUFFIX}"
"""A name of a variable, field, header or flag that holds a secret. What stands before the word belongs to it."""
OF_A_PERSON = re2.compile(rf"(?i){PERSON}")
