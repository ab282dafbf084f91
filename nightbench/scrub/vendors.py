"""Keys and tokens of vendors, told by how they begin.

After the public rule lists of secret scanners; each rule asks for less than a whole key, so that one that was cut
off goes too. A vendor is added by one more row.
"""

from __future__ import annotations

import re

from nightbench.scrub.patterns import late
from nightbench.scrub.spans import spans_of, without

_WORD = r"[A-Za-z0-9_-]"
_RULES = (
    # language models
    rf"sk-(?:ant-|proj-|svcacct-|admin-|or-v1-|lf-|live-|test-)?{_WORD}{{16,}}",
    r"(?:gsk|xai|pplx|hf|api_org|r8|fw|nvapi|lsv2_[ps]t|csk|pcsk|tgp_v1|voyage|pa|jina|sk_car|co|dg)[_-][A-Za-z0-9]{20,}(?:_[0-9a-f]{8,})?",
    # places of code and packages
    r"gh[pousr]_[A-Za-z0-9]{16,}",
    r"github_pat_\w{20,}",
    r"v1\.[0-9a-f]{40}",
    rf"gl(?:pat|dt|rt|rtr|cbt|ptt|oas|soat|ft|imt|agent|ffct|wt)-{_WORD}{{16,}}(?:\.{_WORD}+)*",
    r"GR1348941[\w-]{16,}",
    rf"(?:AT(?:ATT|CTT|BB|PP)3?){_WORD}{{16,}}=*[0-9A-Fa-f]*",
    r"npm_[A-Za-z0-9]{20,}",
    rf"pypi-{_WORD}{{16,}}",
    rf"dckr_(?:pat|oat)_{_WORD}{{16,}}",
    r"rubygems_[0-9a-f]{32,}",
    r"cio[A-Za-z0-9]{32}",
    r"(?:oy2)[a-z0-9]{43}",
    r"(?i:clojars)_[A-Za-z0-9]{40,}",
    r"AKCp[A-Za-z0-9]{40,}",
    r"cmVmdGtuO[A-Za-z0-9]{40,}",
    r"sq[apu]_[0-9a-f]{32,}",
    rf"(?:sgp|slk)_{_WORD}{{32,}}",
    rf"(?:ovsxp|ovsxat)_{_WORD}{{16,}}",
    r"bkua_[0-9a-f]{32,}",
    r"CCIPAT_\w{16,}",
    r"pul-[0-9a-f]{32,}",
    # clouds
    r"(?:A3T[A-Z0-9]|A(?:KIA|SIA|BIA|CCA|GPA|IDA|IPA|NPA|NVA|ROA|PKA|SCA))[A-Z0-9]{12,}",
    r"ABSK[A-Za-z0-9+/=]{60,}",
    rf"AIza{_WORD}{{30,}}",
    r"ya29\.[\w.-]{16,}",
    rf"GOCSPX-{_WORD}{{16,}}",
    rf"1//0{_WORD}{{24,}}",
    r"GOOG[\w]{10,30}",
    r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{24,}",
    r"LTAI[A-Za-z0-9]{12,}",
    r"AKID[A-Za-z0-9]{13,}",
    rf"t1\.[\w-]+=*\.{_WORD}{{60,}}=*",
    rf"AQVN{_WORD}{{30,}}",
    r"YC[A-Za-z0-9_-]{38}",
    r"do[oprt]_v1_[0-9a-f]{32,}",
    rf"HRKU-{_WORD}{{20,}}",
    rf"(?:fo1|fm[12])_{_WORD}{{16,}}",
    r"FlyV1 [\w+/=,.-]{16,}",
    r"pscale_(?:pw|tkn|oauth|pat)_[\w.=-]{16,}",
    rf"(?:nfp|nfc|nfo|nfu)_{_WORD}{{20,}}",
    rf"vc[pkaicr]_{_WORD}{{20,}}",
    rf"rnd_{_WORD}{{20,}}",
    r"v1\.0-[0-9a-f]{24}-[0-9a-f]{40,}",
    rf"cf(?:ut|at|k)_{_WORD}{{20,}}",
    r"sb[pa]_(?:v0_)?[0-9a-f]{20,}",
    rf"sb_(?:secret|publishable)_{_WORD}{{12,}}",
    rf"napi_{_WORD}{{20,}}",
    r"tskey-[\w-]{12,}",
    rf"dop?[._]pt[._]{_WORD}{{20,}}",
    r"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{20,}",
    r"hv[sbr]\.[\w-]{16,}",
    r"s\.(?=[A-Za-z]*\d)[A-Za-z0-9]{24}(?![\w.])",
    r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{40,}",
    r"dapi[0-9a-f]{28,}(?:-\d)?",
    r"dose_[\w-]{20,}",
    rf"scw_?{_WORD}{{30,}}",
    r"(?:ocid1\.\w+\.oc1)\.[\w.-]{30,}",
    r"AGE-SECRET-KEY-1[0-9A-Z]{20,}",
    r"AGE-PLUGIN-[0-9A-Z-]{20,}",
    r"ops_eyJ[\w+/=-]{20,}",
    r"A3-[A-Z0-9]{6}-[A-Z0-9]{5,11}(?:-[A-Z0-9]{5,6}){3,4}",
    # messages
    r"xox[a-z](?:\.xox[a-z])?-[\w-]{8,}",
    r"xapp-\d-[\w-]{10,}",
    r"SG\.[\w-]{14,}(?:\.[\w-]{14,})?",
    r"(?:SK|AC)[0-9a-fA-F]{32}",
    r"(?:key|pubkey)-[0-9a-f]{32}",
    r"[0-9a-f]{32}-us\d{1,2}",
    r"(?:xkeysib|xsmtpsib)-[0-9a-f]{32,}[\w-]*",
    r"\d{8,10}:A[\w-]{33,}",
    r"[MNO][A-Za-z0-9_-]{22,27}\.[\w-]{6}\.[\w-]{25,}",
    rf"re_{_WORD}{{24,}}",
    rf"(?:pmk|PMAK|PMAT)-{_WORD}{{20,}}",
    r"EAA[A-Za-z0-9]{30,}",
    r"A{20,}[A-Za-z0-9%]{30,}",
    r"IG[A-Z]{2}[A-Za-z0-9_-]{60,}",
    # payments and shops
    r"(?:sk|rk|pk|ek|cs|rzp|pi|seti)_(?:live|test|prod|org_live)_[A-Za-z0-9_]{8,}",
    r"whsec_[\w+/=-]{12,}",
    r"sq0[a-z]{3}-[\w-]{16,}",
    rf"EAAA{_WORD}{{40,}}",
    r"shp(?:at|ca|pa|ss|tka|ua)_[0-9a-fA-F]{20,}",
    r"access_token\$(?:production|sandbox)\$[0-9a-z]+\$[0-9a-f]+",
    r"access-(?:sandbox|development|production)-[0-9a-f-]{30,}",
    r"FLW(?:SECK|PUBK)(?:_TEST)?-[\w-]{12,}",
    r"EZ[AT]K[A-Za-z0-9]{30,}",
    r"(?:live|test)_(?:pub_)?[0-9a-f]{30,}",
    r"shippo_(?:live|test)_[0-9a-f]{30,}",
    r"duffel_(?:test|live)_[\w-]{20,}",
    r"amzn\.mws\.[0-9a-f-]{30,}",
    # watchers and tools
    r"sntr[yua][su]_[\w+/=-]{16,}",
    r"glc_[A-Za-z0-9+/]{24,}=*",
    r"glsa_[A-Za-z0-9]{20,}_?[0-9a-fA-F]*",
    r"NR(?:AK|JS|II|RA|BR)-[\w-]{16,}",
    r"[0-9a-f]{36}NRAL",
    r"ph[cxs]_[A-Za-z0-9]{24,}",
    r"dt0[a-z]\d{2}\.[A-Z0-9]{20,}(?:\.[A-Z0-9]{20,})?",
    r"(?:sdk|mob|api)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    r"pn[ub]_[A-Za-z0-9]{20,}",
    r"lin_(?:api|oauth)_[A-Za-z0-9]{20,}",
    r"(?:secret|ntn)_[A-Za-z0-9]{32,}",
    r"fig[dour]_[\w-]{20,}",
    r"CFPAT-[\w-]{20,}",
    r"pat[A-Za-z0-9]{14}\.[0-9a-f]{20,}",
    r"pat-(?:na|eu)\d-[0-9a-f-]{30,}",
    r"tfp_[\w.=-]{30,}",
    r"rdme_[a-z0-9]{40,}",
    r"shrk_\w{20,}",
    r"(?:pk|sk|tk)\.eyJ[\w-]+\.[\w-]+",
    r"sl\.(?:u\.)?[\w-]{60,}",
    r"fio-u-[\w=-]{30,}",
    r"ico-[A-Za-z0-9]{32}",
    r"p8e-[A-Za-z0-9]{32}",
    r"EAK[A-Za-z0-9]{30,}",
    r"(?:pst|uk|tk-us|sm_[a-z]{3})[_-][\w-]{32,}",
    r"[01]/\d{10,}(?:/\d{10,})?:[0-9a-f]{32}",
    r"dsk_[\w-]{20,}",
    r"(?:ls|lsk|lst)_[\w-]{24,}",
    r"2[A-Za-z0-9]{26}_[A-Za-z0-9]{20,}",
    r"pcsk_[A-Za-z0-9]{4,}_[A-Za-z0-9]{20,}",
    rf"(?:tvly|tvlyoauth|exa|brave|BSA|serp)-{_WORD}{{24,}}",
    r"(?:fc-|cu_|e2b_|sk_e2b_|bb_live_|aio_|dtn_|abv_)[0-9a-f]{32,}",
    r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk",
    r"API-[A-Z0-9]{24,}",
    r"zpka_[0-9a-f]{24,}(?:_[0-9a-f]{6,})?",
    r"pat\.[\w-]{20,}\.[0-9a-f]{20,}(?:\.\w+)?",
    r"(?:depot|fly|railway|koyeb|unkey|trigger|inngest|liveblocks)_[a-z]{2,12}_[0-9a-f]{32,}",
    r"snyk_[a-z]{2,4}\.[0-9a-f]{6,}\.[\w-]{20,}",
    r"ory_[a-z]{2,4}_[\w-]{20,}(?:\.[\w-]{20,})?",
    r"(?:t|u|a|g|p|c|s)-(?!\d{8}T)(?=[A-Za-z]{0,16}\d)(?=[a-z\d]{0,16}[A-Z])(?=[A-Z\d]{0,16}[a-z])[A-Za-z0-9]{26,}",
    r"00(?=[a-z\d_-]{0,16}[A-Z])(?=[A-Z\d_-]{0,16}[a-z])[A-Za-z0-9_-]{40}(?![\w-])",
    # a short word and many characters of all three kinds, which no name of a run or a class has
    r"[a-z][a-z0-9]{1,11}[_-](?:[a-z]{2,12}[_-]){0,2}(?!\d{8}T)(?=[A-Za-z]{0,23}\d[A-Za-z]{0,23}\d)(?=[a-z\d]{0,23}[A-Z])(?=[A-Z\d]{0,23}[a-z])[A-Za-z0-9]{24,}(?:_[A-Za-z0-9]{16,})?",
    r"[a-z][a-z0-9]{1,11}_(?:[a-z]{2,12}_){0,2}(?=[A-Za-z]{0,15}\d)(?=[a-z\d]{0,15}[A-Z])(?=[A-Z\d]{0,15}[a-z])[A-Za-z0-9]{16,}_[A-Za-z0-9]{16,}",
    # stored passwords: crypt, Django, Werkzeug, PostgreSQL, LDAP
    r"\$(?:2[abxy]?\$\d\d|argon2(?:id?|d)|scrypt|pbkdf2[\w-]{0,10}|g?y|[1567])\$[\w./$=,+-]{20,}",
    r"(?:pbkdf2|scrypt|bcrypt|argon2)(?:_\w{1,12})?\$[\w./$=,+-]{20,}",
    r"(?:pbkdf2|scrypt):[\w:]{1,30}\$[\w./+-]{4,}\$[0-9a-f]{20,}",
    r"SCRAM-SHA-(?:1|256|512)\$\d{1,9}:[\w+/=]{8,}(?:[$:][\w+/=]{8,}){0,2}",
    r"\{(?:S?SHA\d{0,3}|S?MD5|CRYPT)\}[\w+/=$.]{16,}",
    r"md5[0-9a-f]{32}(?![0-9A-Za-z])",
    # whatever says of itself what it is
    r"[a-z][a-z0-9]{1,12}_(?:live|test|prod|production|sandbox|secret|pat|api|token|apikey|key|sk|at|rt|pk)_(?=[A-Za-z]*\d)[A-Za-z0-9]{16,}",
    r"[a-z][a-z0-9]{1,12}-(?:secret|pat|token|apikey|api-key)-(?!\d{8}T)(?=[A-Za-z]*\d)[A-Za-z0-9]{16,}",
    r"(?:live|prod|secret|token|api|apikey|pat|sk|rk|pk|key)_(?=[A-Za-z]*\d)(?=[\da-f]*[A-Zg-z])[A-Za-z0-9]{20,}",
    r"MII[A-Za-z0-9+/]{100,}={0,2}",
)
_KEY = late(rf"(?<![A-Za-z0-9])(?:{'|'.join(_RULES)})")
_HOOK = late(
    r"(?<=//)(?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/(?:v\d+/)?webhooks/|hooks\.zapier\.com/hooks/catch/"
    r"|[\w-]{1,60}\.webhook\.office\.com/webhookb?2?/|chat\.googleapis\.com/v1/spaces/|api\.telegram\.org/bot|maker\.ifttt\.com/trigger/"
    r"|outlook\.office(?:365)?\.com/webhook/|hc-ping\.com/|events\.pagerduty\.com/integration/|[\w-]{1,60}\.ngrok[\w.-]{0,12}/)(?P<secret>[^\s\"'<>)\]}\\]++)"
)
_HOOK_PATH = late(
    r"(?<=/)(?:(?:services|workflows|triggers)/[TE][A-Z0-9]{6,}/[A-Z0-9]{6,}|webhooks/\d{15,20})/(?P<secret>[\w/-]{16,})"
)
"""The same where the host stands elsewhere, as in the log of a pool of connections."""
_PARAMETER = late(
    r"(?:(?:AccountKey|SharedAccessKey|SharedAccessSignature|SharedSecret|InstrumentationKey)=|[?&;](?:sig|X-Amz-Signature|X-Amz-Credential"
    r"|X-Amz-Security-Token|X-Goog-Signature|X-Goog-Credential|AWSAccessKeyId)=)(?P<secret>[^\s&;,\"'<>]++)",
    re.IGNORECASE,
)
_OF_AWS = late(r"(?<![A-Za-z0-9/+=])(?=[A-Za-z/+]*\d)(?=[a-z0-9/+]*[A-Z])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_SAYS_AWS = late(r"aws|amazon|secret", re.IGNORECASE)
_BEFORE = 64
_USER_OF_A_SITE = late(r"(?i:(?:https?|nats)://)(?P<secret>[^\s/@:?#\"'<>\[\]]++)@(?!\*)")
"""What stands alone before the host of a site is a token: Sentry's public key, a personal token of a code host."""
_PGPASS = late(
    r"(?<![\w:./-])(?=[\d.*]*[A-Za-z*])[\w.*-]++:(?:\d{4,5}|\*):[\w*.-]++:[\w*.-]++:(?P<secret>[^\s:]++)(?!:)"
)


def vendor_keys(text: str) -> str:
    """`text` without keys, tokens and webhooks of known vendors."""
    spans = spans_of(_KEY, text)
    if "://" in text:
        spans += [*spans_of(_HOOK, text), *spans_of(_USER_OF_A_SITE, text)]
    if "/" in text:
        spans += spans_of(_HOOK_PATH, text)
    if "=" in text:
        spans += spans_of(_PARAMETER, text)
    if ":" in text:
        spans += spans_of(_PGPASS, text)
    spans += [
        span for span in spans_of(_OF_AWS, text) if _SAYS_AWS.search(text, max(0, span[0] - _BEFORE), span[0])
    ]
    return without(text, spans)
