"""Every setting with what it does; the reference page is generated from it."""

from collections.abc import Mapping

#: name -> (what it does, default in words); the reference page is generated from it.
REFERENCE: Mapping[str, tuple[str, str]] = {
    "NIGHTLIGHT_HOME": ("folder of state, vault and keys", "~/.nightlight"),
    "NIGHTLIGHT_DATABASE_URL": (
        "sqlite:///FILE or postgresql://user:password@host/name",
        "SQLite in NIGHTLIGHT_HOME",
    ),
    "NIGHTLIGHT_PLATFORM_COUNTRY": (
        "two letters: the country of accounts of which nothing is told (policy: report_routes)",
        "none: they are reported where their category says",
    ),
    "NIGHTLIGHT_PLATFORM_NAME": ("the platform's name, as reports give it", "unnamed platform"),
    "NIGHTLIGHT_PLATFORM_URL": ("where effects are sent (Standard Webhooks)", "none: effects wait"),
    "NIGHTLIGHT_PLATFORM_SECRET": ("signing secret of the webhooks, whsec_<base64>", "none"),
    "NIGHTLIGHT_VAULT_URL": (
        "s3://BUCKET/PREFIX of an S3-compatible store for sealed evidence",
        "a folder in NIGHTLIGHT_HOME",
    ),
    "NIGHTLIGHT_VAULT_ENDPOINT": ("the store's address, where it is not Amazon's", "Amazon's"),
    "NIGHTLIGHT_VAULT_REGION": ("the store's region", "us-east-1"),
    "NIGHTLIGHT_VAULT_ACCESS_KEY": ("the store's access key", "none"),
    "NIGHTLIGHT_VAULT_SECRET_KEY": ("the store's secret key", "none"),
    "NIGHTLIGHT_KMS_URL": (
        "base of a key service's transit interface, such as https://bao.example.test/v1/transit",
        "none: the key file holds keys in clear",
    ),
    "NIGHTLIGHT_KMS_KEY": ("the name of its key that covers the key file", "nightlight"),
    "NIGHTLIGHT_KMS_TOKEN": ("its token", "none"),
    "NIGHTLIGHT_MEDIA_ROOT": ("folder for media urls that are relative paths", "none"),
    "NIGHTLIGHT_MEDIA_ORIGINS": (
        "origins from which media may be fetched, comma-separated, such as https://cdn.example.test",
        "none: nothing is fetched",
    ),
    "NIGHTLIGHT_FAST_HASHING": (
        "true decodes only the brightness of JPEGs: faster, and hashes are up to 4 bits off (p99)",
        "false: hashes are those of the full picture",
    ),
    "NIGHTLIGHT_INDEX_DIRECTORY": (
        "folder in shared memory for an index that processes share; none: each makes its own",
        "a private folder in /dev/shm where there is one",
    ),
    "NIGHTLIGHT_ONE_PERSON_LISTS": (
        "true lets one person change lexicons (--alone) also where others are known; doctor warns",
        "false: once another person changed a lexicon or decided a case, every change needs two",
    ),
    "NIGHTLIGHT_CYBERTIPLINE_URL": (
        "base of the CyberTipline's API, ending in /ispws",
        "none: tips wait as drafts",
    ),
    "NIGHTLIGHT_CYBERTIPLINE_USER": ("its user name", "none"),
    "NIGHTLIGHT_CYBERTIPLINE_PASSWORD": ("its password", "none"),
    "NIGHTLIGHT_CYBERTIPLINE_FORMERLY": (
        "other addresses of the same CyberTipline, as before a proxy, separated by spaces",
        "none: what was filed at another address counts as no report at this one",
    ),
    "NIGHTLIGHT_CYBERTIPLINE_ARMED": (
        "true allows filing with NCMEC's production service",
        "false: only test and simulated services",
    ),
    "NIGHTLIGHT_HOTLINE_DIRECTORY": (
        "folder where packages for a hotline are left (policy: report_to)",
        "none: tips for it wait as drafts",
    ),
    "NIGHTLIGHT_HOTLINE_RECIPIENT": ("the hotline's public age key, age1...", "none"),
    "NIGHTLIGHT_REPORT_CLASSIFICATION": (
        "true passes a hash bank's industry classification (A1 to B2) on in tips",
        "false: a person classifies, or nobody",
    ),
    "NIGHTLIGHT_REPORTER_FIRST_NAME": ("first name of the person who reports", "none"),
    "NIGHTLIGHT_REPORTER_LAST_NAME": ("last name of the person who reports", "none"),
    "NIGHTLIGHT_REPORTER_EMAIL": ("e-mail address of the person who reports", "none"),
    "NIGHTLIGHT_REPORTER_PHONE": ("phone number of the person who reports", "none"),
    "NIGHTLIGHT_API_TOKEN": (
        "bearer token of the HTTP API and console",
        "made by `serve`, kept in NIGHTLIGHT_HOME/keys/api_token",
    ),
    "NIGHTLIGHT_DSA_URL": (
        "base of the DSA Transparency Database's API, ending in /api/v1",
        "none: no statements of reasons are made",
    ),
    "NIGHTLIGHT_DSA_TOKEN": ("its token", "none"),
    "NIGHTLIGHT_DSA_ARMED": (
        "true allows publishing in the production database",
        "false: only its sandbox and simulated ones",
    ),
    "NIGHTLIGHT_DSA_TERRITORIES": (
        "countries to which restrictions apply, two letters each, comma-separated",
        "the European Economic Area",
    ),
    "NIGHTLIGHT_DSA_LEGAL_GROUND": (
        "the law that statements name where a person found content to be illegal",
        "National law that transposes Directive 2011/93/EU, Articles 3 to 6",
    ),
    "NIGHTLIGHT_DSA_TERMS_GROUND": (
        "the platform's rules that statements name otherwise",
        "Rules of the platform against child sexual exploitation",
    ),
    "NIGHTLIGHT_RECORD_ORIGIN": (
        "name under which the record's checkpoints are signed, such as example.test/nightlight",
        "nightlight",
    ),
    "NIGHTLIGHT_CHECKPOINT_FOLDER": (
        "folder in which checkpoints are published as text files",
        "none: they stay in NIGHTLIGHT_HOME/audit/anchors.ndjson",
    ),
    "NIGHTLIGHT_CHECKPOINT_URL": ("address to which checkpoints are posted as plain text", "none"),
    "NIGHTLIGHT_CHECKPOINT_TOKEN": ("bearer token that the address asks for", "none"),
    "NIGHTLIGHT_VERIFY_EVERY_MINUTES": (
        "how often the worker verifies what is new of the record, 1 to 1440",
        "60",
    ),
    "NIGHTLIGHT_VERIFY_WHOLE_EVERY_DAYS": (
        "how often the worker verifies the whole record, 1 to 31",
        "7",
    ),
    "NIGHTLIGHT_HMA_API": (
        "true serves HMA's REST interface beside our own (docs/operations/hma.md)",
        "false",
    ),
    "NIGHTLIGHT_HMA_TEST_HOOKS": (
        "true lets tests of HMA's clients empty the banks, without a token, on this machine only",
        "false: never set it where there is anything to lose",
    ),
}
