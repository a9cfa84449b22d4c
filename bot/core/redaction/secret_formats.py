"""Secrets that are recognised by their form alone: keys and tokens with a vendor's prefix, private keys, hashes of passwords.

RE2 patterns without captures, so that all of them together are one pass in linear time.
"""

from collections.abc import Mapping

KINDS: Mapping[str, tuple[str, ...]] = {
    "private key": (
        # With its body up to its end, or to the end of the text where that was cut off; a first line that is only talked
        # about. The body's own form decides, so that no first line makes the search run through all that follows.
        r"(?s:-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\+[nrt]|[>|#*])*"
        r"(?:[A-Za-z0-9+/=]{8,}|[A-Z][A-Za-z\-]+: ).*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z))",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[^\-]*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)?",
        r"(?s:---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----.*?(?:---- END SSH2 ENCRYPTED PRIVATE KEY ----|\z))",
        r"\bb3BlbnNzaC1rZXktdjE[A-Za-z0-9+/=]{20,}",
        r"\$ANSIBLE_VAULT;[0-9.]+;AES256[;\w]*(?:\s+[0-9a-f]{20,})+",
        # One whose head was cut off: lines of Base64 before its last line, also where the ends of lines are written out.
        r"(?:[A-Za-z0-9+/]{8,}={0,2}(?:\s|\\+[nrt])+)*(?:[A-Za-z0-9+/]+={0,2}(?:\s|\\+[nrt])*)?"
        r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
        r"(?s:PuTTY-User-Key-File-[23]:.*?(?:Private-MAC: [0-9a-f]+|\z))",
        r"\bAGE-SECRET-KEY-1[A-Z0-9]{20,}|\bS[ACNOUX][A-Z2-7]{56}\b",
    ),
    "aws key": (r"\b(?:AKIA|ASIA|ABIA|ACCA|APKA|AROA|AIDA)(?:[A-Z0-9]\s?){15}[A-Z0-9]\b",),
    "webhook": (
        r"https://hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_\-]+",
        r"https://(?:\w+\.)?discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/[0-9]+/[A-Za-z0-9_\-]+",
        r"https://(?:[\w.\-]+\.webhook\.office\.com/webhookb2|outlook\.office(?:365)?\.com/webhook)/[^\s\"'<>]+",
        r"https://[\w.\-]+\.logic\.azure\.com[^\s\"'<>]*[?&]sig=[^\s\"'<>]+",
        r"https://chat\.googleapis\.com/v1/spaces/[^\s\"'<>]+",
        r"https://(?:events|hooks)\.(?:zapier|pagerduty|opsgenie|eu\.pagerduty)\.com/(?:hooks|integration)/[^\s\"'<>]+",
    ),
    "token": (
        # Code hosts and package registries.
        r"\bgh[pousr]_[A-Za-z0-9]{12,}|\bgithub_pat_[A-Za-z0-9_]{20,}",
        r"\bgl(?:pat|dt|rt|cbt|ptt|ft|imt|soat|agent|oas|rtr|ffct|wt)-[A-Za-z0-9_\-.]{12,}|\bGR1348941[A-Za-z0-9_\-]{12,}",
        r"\bAT(?:ATT3x|CTT3x|BB)[A-Za-z0-9_\-=]{16,}",
        r"\bnpm_[A-Za-z0-9]{20,}|\bpypi-[a-z0-9_\-]{0,40}[A-Z][A-Za-z0-9_\-]{12,}|\brubygems_[a-f0-9A-Z]{20,}|"
        r"\bdckr_(?:pat|oat)_[A-Za-z0-9_\-]{16,}",
        r"\bcio[A-Za-z0-9]{32}\b|\bAKC[a-zA-Z0-9]{10,}|\bAP[\dABCDEF][a-zA-Z0-9]{30,}|\bcmVmdGtuO[A-Za-z0-9]{20,}",
        r"\boy2[a-z0-9]{40,}|\bCLOJARS_[a-f0-9]{40,}|\b(?:CCIPAT|CCIPRJ)_[A-Za-z0-9_]{20,}|\bbk(?:ua|aj|pt|"
        r"ct)_[A-Za-z0-9]{20,}|\bsq[apu]_[a-f0-9]{32,}",
        r"\bsgp_[A-Za-z0-9_]{30,}|\bglcbt-[A-Za-z0-9_\-]{16,}|\bpnu_[A-Za-z0-9]{20,}|\bCFPAT-[A-Za-z0-9_\-]{20,}|"
        r"\bdnkey-[A-Za-z0-9=_\-]{20,}",
        r"\bsha256~[A-Za-z0-9_\-]{20,}|\btskey-[a-z]+-[A-Za-z0-9\-]{12,}|\bnbp_[A-Za-z0-9]{20,}|\brdme_[a-z0-9]{30,}|"
        r"\bst\.[a-f0-9]{8}-[\w.\-]{30,}",
        # Chat and mail.
        r"\bxox[a-z](?:[.\-][A-Za-z0-9\-]+){1,6}|\bxapp-[A-Za-z0-9\-]{10,}|\bxoxe\.xox[bp]-[A-Za-z0-9\-]{10,}",
        r"(?:\b|bot)[0-9]{8,10}:AA[A-Za-z0-9_\-]{30,}|\bmfa\.[A-Za-z0-9_\-]{60,}|"
        r"\b[MNO][A-Za-z0-9_\-]{22,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,}",
        r"\bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}|\bkey-[0-9a-zA-Z]{32}\b|\b[0-9a-f]{32}-us[0-9]{1,2}\b|"
        r"\b[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}\b|\bmlsn\.[a-f0-9]{30,}",
        r"\bx(?:key|smtp)sib-[A-Za-z0-9\-]{20,}|\bre_[A-Za-z0-9]{6,}_[A-Za-z0-9]{16,}|\bSK[0-9a-fA-F]{32}\b",
        # Money and shops.
        r"\b[srp]k_(?:live|test|prod)_[A-Za-z0-9]{12,}|\bsk_[a-f0-9]{32,}|\bwhsec_[A-Za-z0-9+/=_\-]{12,}|"
        r"\bsq0[a-z]{3}-[A-Za-z0-9_\-]{16,}",
        r"\bEAAA[A-Za-z0-9_\-]{40,}|\bshp(?:at|ca|pa|ss|tk|ua)_[A-Za-z0-9]{16,}|\baccess_token\$(?:production|"
        r"sandbox)\$\S{16,}",
        r"\brzp_(?:live|test)_[A-Za-z0-9]{10,}|\bFLW(?:PUB|SEC)K(?:_TEST)?-[A-Za-z0-9\-]{16,}",
        r"\b(?:access|public|link)-(?:production|sandbox|development)-[a-f0-9\-]{30,}|\bEZ[AT]K[A-Za-z0-9]{30,}|"
        r"\b(?:duffel|shippo)_(?:live|test)_[A-Za-z0-9_\-]{20,}",
        # Clouds.
        r"\bAIza[A-Za-z0-9_\-]{30,}|\bya29\.[A-Za-z0-9_\-]{16,}|\bGOCSPX-[A-Za-z0-9_\-]{16,}|\b1//0[A-Za-z0-9_\-]{30,}",
        r"\b[A-Za-z0-9_~.\-]{3}[0-9]Q~[A-Za-z0-9_~.\-]{31,34}|\bdo[por]_v1_[A-Za-z0-9]{20,}|\bdapi[0-9a-f]{32}(?:-[0-9])?\b",
        r"\bLTAI[A-Za-z0-9]{12,}|\bAKID[A-Za-z0-9]{20,}|\bbx_[A-Za-z0-9]{30,}|\bHRKU-[A-Za-z0-9_\-]{20,}|"
        r"\bnfp_[A-Za-z0-9]{20,}",
        r"\bfm[12]_[A-Za-z0-9+/=_\-]{20,}|\brnd_[A-Za-z0-9]{20,}|\bpscale_(?:tkn|oauth|pw)_[A-Za-z0-9_\-.]{16,}|"
        r"\bsb[ps]_[a-f0-9A-Z]{20,}",
        r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-=]{20,}|\bpul-[A-Za-z0-9]{20,}|\bdp\.(?:pt|st|ct|scim|audit|"
        r"sa)\.[A-Za-z0-9._\-]{16,}",
        r"\bA3-[A-Z0-9]{6}-[A-Z0-9\-]{20,}|\bp8e-[A-Za-z0-9]{30,}|\bhv[sbr]\.[A-Za-z0-9_\-]{16,}|\bops_eyJ[A-Za-z0-9_\-]{20,}|\bvault:v[0-9]+:[A-Za-z0-9+/=]{16,}",
        r"\bGOOG1[A-Z0-9]{40,}|\bABSK[A-Za-z0-9+/=]{30,}|\bsb_secret_[A-Za-z0-9_\-]{16,}|\bnapi_[a-z0-9]{30,}|"
        r"\bvc[pkair]_[A-Za-z0-9]{20,}|\bvercel_blob_rw_\w{20,}",
        r"\bv1\.0-[a-f0-9]{20,}-[a-f0-9]{40,}|\bCfDJ8[A-Za-z0-9_\-]{20,}|\bfo1_[A-Za-z0-9_\-]{30,}|"
        r"\btk-us-[A-Za-z0-9_\-]{30,}|\bmdb_sa_(?:sk|id)_[\w\-]{20,}",
        r"\bt1\.[A-Z0-9a-z_\-]{20,}={0,2}\.[A-Z0-9a-z_\-]{40,}|\bAQVN[A-Za-z0-9_\-]{30,}|\bSCW[A-Z0-9]{17}\b|"
        r"\bhcloud_[A-Za-z0-9]{40,}",
        # With a signature of its own in the middle.
        r"\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b|\b[A-Za-z0-9_\-]{44}AzFu[A-Za-z0-9_\-]{4,8}={0,2}|"
        r"\b[A-Za-z0-9]{42}AzSe[A-Za-z0-9]{4,8}\b|\b[A-Za-z0-9+/]{76}(?:\+ASt|\+ABa|ACDb)[A-Za-z0-9+/]{6}==",
        r"\bAVNS_[A-Za-z0-9_\-]{16,}|\bCCDB1_[A-Za-z0-9]{16,}_[A-Za-z0-9]{30,}|\bess[ua]_[A-Za-z0-9_\-=]{40,}|"
        r"\bcf(?:ut|at|k)_[A-Za-z0-9]{40,}|\bdd[pwo]_[A-Za-z0-9]{36}\b|\b(?:prod|dev):[a-z]+-[a-z]+-[0-9]+\|[\w+/\-=]{40,}",
        r"\b00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?![A-Za-z0-9._\-]{80,}|\bsecret-(?:live|test)-[A-Za-z0-9_\-]{30,}=?|"
        r"\bpdl_(?:live|sdbx)_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}",
        r"\bapify_api_[A-Za-z0-9]{30,}|\bpackagist_[a-z]{2,4}_[a-f0-9]{40,}|\bdbt[cus]_[A-Za-z0-9_\-]{36,}|"
        r"\bsnyk_uat\.[a-f0-9]{8}\.[A-Za-z0-9_\-.]{30,}|\bunkey_[A-Za-z0-9]{20,}|\btr_(?:dev|stg|prod|pat)_[A-Za-z0-9]{20,}",
        r"\bsignkey-[a-z]{2,10}-[a-f0-9]{64}|\bdtn_[a-f0-9]{64}|\be2b_[a-f0-9]{40}|\bfc-[a-f0-9]{32}\b|\bfw_[A-Za-z0-9]{22,26}\b|"
        r"\ba[ks]-[A-Za-z0-9]{22}\b|\bwandb_v1_[A-Za-z0-9_\-]{40,}",
        r"\bxau_[A-Za-z0-9]{30,}|\bpolar_(?:oat|pat|at|rt)_[A-Za-z0-9]{30,}|\bdub_[A-Za-z0-9]{24}\b|\bos_v2_(?:app|org)_[a-z0-9]{80,}|"
        r"\bKEY0[0-9A-Z]{30,}_[A-Za-z0-9]{20,}|\bQN_[a-f0-9]{32}\b|\bluma-[a-f0-9\-]{60,}|\bkey_[a-f0-9]{128}\b",
        r"\bllx-[A-Za-z0-9]{40,}|\bm0-[A-Za-z0-9]{36,}|\bscp-(?:live|test)-[a-f0-9]{32}|\bfnA[A-Za-z0-9_\-]{37,}|\b[ps]k1_[a-f0-9]{64}|"
        r"\bplainApiKey_\w{20,}[\w\-]*|\bsecret_(?:live|test)_[A-Za-z0-9.]{30,}|\bste-[A-Za-z0-9]{60,}|\bchpt_[a-f0-9]{15}\b",
        r"\b[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{6}:[A-Za-z0-9_\-]{43}\b|\bsec-c-[A-Za-z0-9]{40,}|\bpk_[a-f0-9]{34}\b|"
        r"\b(?:test)?sk_[A-Za-z0-9_\-]{32,}\.[a-z]{2}\b|\b[1-3][A-Za-z0-9]{26}_[A-Za-z0-9]{18,24}\b|\bna1\.[A-Za-z0-9]{80,}",
        r"\bbb_(?:live|test)_[A-Za-z0-9_\-]{24,}|\bgg[pt]{1,2}_[A-Za-z0-9]{36,}|\bhb_[a-f0-9]{28}\b",
        # Watching and paging.
        r"\bpylf_v[0-9]_[a-z]{2,8}_[A-Za-z0-9]{40,}|\bxa[ap]t-[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}",
        r"\bgl(?:sa|c)_[A-Za-z0-9+/=_\-]{16,}|\bNR(?:AK|JS|II|AA|RA)-[A-Za-z0-9_\-]{12,}|\bsntry[su]_[A-Za-z0-9+/=_\-]{20,}",
        r"\bdt0[a-z][0-9]{2}\.[A-Za-z0-9]{8,}\.[A-Za-z0-9]{16,}|\bph[cx]_[A-Za-z0-9]{20,}|\bhc[abx]ik_[A-Za-z0-9]{20,}|"
        r"\bcxtp_[A-Za-z0-9]{20,}|\b(?:sdk|mob|api)-[a-f0-9]{8}-(?:[a-f0-9]{4}-){3}[a-f0-9]{12}\b|\b[a-f0-9]{36,}NRAL\b|"
        r"\bPMAK-[a-f0-9A-Z\-]{20,}",
        # Models and makers' tools.
        r"\bsk-[A-Za-z0-9_\-]{16,}|\bhf_[A-Za-z0-9]{16,}|\br8_[A-Za-z0-9]{20,}|\bgsk_[A-Za-z0-9]{20,}|"
        r"\bpplx-[A-Za-z0-9]{20,}|\bxai-[A-Za-z0-9]{20,}|\bapi_org_[A-Za-z0-9]{20,}|\bpcsk_[A-Za-z0-9_]{20,}|"
        r"\bnvapi-[A-Za-z0-9_\-]{20,}|\btvly-[A-Za-z0-9\-]{16,}",
        r"\blin_(?:api|oauth)_[A-Za-z0-9]{16,}|\bntn_[A-Za-z0-9]{20,}|\bsecret_[A-Za-z0-9]{32,}|"
        r"\bfig[dorh]{1,2}_[A-Za-z0-9_\-]{16,}",
        r"\bpat[A-Za-z0-9]{14}\.[a-f0-9]{32,}|\bpat-(?:na1|eu1)-[a-f0-9\-]{20,}|\bsl\.[A-Za-z0-9_\-]{60,}|\blsv2_(?:pt|"
        r"sk)_[A-Za-z0-9_]{20,}",
        r"\bjina_[A-Za-z0-9_]{30,}|\btgp_v1_[A-Za-z0-9_\-]{20,}|\bcsk-[a-z0-9]{30,}|\brpa_[A-Z0-9]{30,}|"
        r"\btfp_[A-Za-z0-9_\-]{30,}|\baio_[A-Za-z0-9]{24,}",
        r"\b[01]/(?:[0-9]{10,}[:/])?[a-f0-9]{32}\b|\bico-[A-Za-z0-9]{30,}|\bfio-u-[A-Za-z0-9_\-]{40,}|\bcal_(?:live|"
        r"test)_[a-f0-9]{30,}|\brootly_[a-f0-9]{40,}",
        r"\bEAA[A-Za-z0-9]{60,}|\bAAAA[A-Za-z0-9_\-]{7}:[A-Za-z0-9_\-]{60,}|\bAQ[A-Za-z0-9_\-]{60,}",
        # Signed tokens of any issuer: JWT, JWE, Fernet, PASETO.
        r"\beyJ[A-Za-z0-9_\-]{6,}\.[A-Za-z0-9_\-]{4,}(?:\.[A-Za-z0-9_\-]*){0,3}|\bgAAAAA[A-Za-z0-9_\-=]{40,}",
        # NTLM and Kerberos on the wire, and what Windows protects for one machine.
        r"\bTlRMTVNTUA[A-Za-z0-9+/=]{10,}|\bYII[A-Za-z0-9+/=]{24,}|\b01000000d08c9ddf0115d1118c7a00c04fc297eb\w*",
        r"\bv[1-4]\.(?:local|public)\.[A-Za-z0-9_\-]{20,}",
    ),
    "password hash": (
        r"\$(?:2[abxy]?|5|6|7|y|gy|apr1|1|md5|scrypt|argon2(?:id?|d)|pbkdf2[\w\-]*)\$[A-Za-z0-9./$=,+\-]{16,}",
        r"\{S?(?:SHA|MD5|SHA256|SHA512)\}[A-Za-z0-9+/=]{16,}",
        r"\bSCRAM-SHA-(?:1|256|512)\$[0-9]+:[A-Za-z0-9+/=:$]{16,}|\bmd5[0-9a-f]{32}\b|\b[0-9a-fA-F]{32}:[0-9a-fA-F]{32}\b|"
        r"\bpbkdf2_sha256\$[0-9]+\$[^\s\"']+",
    ),
}
"""What stands in place of the secret -> the forms it has. Prefixes are those that the vendors document."""
