"""The real Akismet clients, unmodified, against the service; what came of it stands in `docs/akismet.md`."""

import sys
from pathlib import Path

import pytest

from moderation.engines import EngineAddresses
from tests.akismet_site import BANNED, CALM, DOUBTFUL, REJECTED, AkismetSite, akismet_site
from tests.foreign_clients import install_from_npm, install_from_pypi, run_program

pytestmark = pytest.mark.timeout(240)

PYTHON_CLIENT = "akismet==25.10.1"
NPM_CLIENTS = ("akismet-api@6.0.0", "akismet@2.0.7")

# The client takes an httpx client of one's own, and this is its documented way to other hosts. `HOST_KEY` puts the key before
# the host's name, without which `key_sites` sends none. Its time limit of 1 s is lifted: a busy machine is no failure.
PYTHON_PROGRAM = """
import asyncio, json, os
import akismet, httpx

URL, KEY = httpx.URL(os.environ["URL"]), os.environ["KEY"]
FIELDS = {"comment_author": "ليلى", "comment_author_email": "layla@example.com", "user_agent": "Mozilla/5.0"}

def repointed(request, host=None):
    request.url = request.url.copy_with(scheme=URL.scheme, host=URL.host, port=URL.port)
    if host:
        request.headers["Host"] = host

class Sync(httpx.HTTPTransport):
    host = None
    def handle_request(self, request):
        repointed(request, self.host)
        return super().handle_request(request)

class Async(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request):
        repointed(request)
        return await super().handle_async_request(request)

def config(key=KEY):
    return akismet.Config(key=key, url="https://news.example")

def refusal(call):
    try:
        return call()
    except akismet.AkismetError as error:
        return type(error).__name__

headers = {"User-Agent": akismet.USER_AGENT}
transport = Sync()
http = httpx.Client(transport=transport, headers=headers, timeout=30)
client = akismet.SyncClient.validated_client(config=config(), http_client=http)
wrong = akismet.SyncClient(config=config("0123456789ab"), http_client=http)

def check(content, **more):
    return client.comment_check("203.0.113.7", comment_content=content, **{**FIELDS, **more}).name

found = {
    "wrong key": refusal(lambda: akismet.SyncClient.validated_client(config=config("0123456789ab"), http_client=http)),
    "wrong key, check": refusal(lambda: wrong.comment_check("203.0.113.7", comment_content="x")),
    "ham": check(os.environ["CALM"]),
    "spam": check(os.environ["REJECTED"]),
    "doubt": check(os.environ["DOUBTFUL"]),
    "test": check(os.environ["REJECTED"], is_test=True),
    "guaranteed": check("x", comment_author="akismet-guaranteed-spam"),
    "submit_spam": client.submit_spam("203.0.113.7", comment_content=os.environ["CALM"], **FIELDS),
    "submit_ham": client.submit_ham("203.0.113.7", comment_content="لم نره من قبل", **FIELDS),
    "usage_limit": client.usage_limit(),
    "key_sites": refusal(client.key_sites),
}
transport.host = KEY + ".rest.akismet.com"
found["key_sites, key in the host"] = client.key_sites()
found["key_sites, csv"] = client.key_sites(result_format="csv")

async def asynchronous():
    http = httpx.AsyncClient(transport=Async(), headers=headers, timeout=30)
    async with akismet.AsyncClient(config=config(), http_client=http) as client:
        return (await client.comment_check("203.0.113.7", comment_content="متى يصل الخط إلى حينا؟")).name

found["asynchronous"] = asyncio.run(asynchronous())
print(json.dumps(found))
"""

# Both npm clients put the key before the host's name. What stands for a wildcard in the DNS is a look-up that always finds us.
RESOLVE = """
const dns = require('node:dns');
dns.lookup = (host, options, done) => {
  const callback = done || options;
  if (options && options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};
"""
AKISMET_API = """
const { AkismetClient } = require('akismet-api');
const { KEY, PORT, CALM, REJECTED, DOUBTFUL } = process.env;
const make = (key) => new AkismetClient({ key, blog: 'https://news.example', host: `rest.test:${PORT}`, protocol: 'http' });
const fault = (promise) => promise.then((value) => value, (error) => `${error.message}`);
const said = { ip: '203.0.113.7', name: 'ليلى', email: 'layla@example.com', useragent: 'Mozilla/5.0', type: 'comment' };
(async () => {
  const client = make(KEY);
  const found = {
    verify: await client.verifyKey(),
    'wrong key': await make('0123456789ab').verifyKey(),
    'wrong key, check': await fault(make('0123456789ab').checkSpam({ ...said, content: CALM })),
    ham: await client.checkSpam({ ...said, content: CALM, isTest: false }),
    spam: await client.checkSpam({ ...said, content: REJECTED }),
    doubt: await client.checkSpam({ ...said, content: DOUBTFUL }),
    trap: await client.checkSpam({ ...said, content: 'نص آخر هادئ', honeypot: 'bot' }),
    'empty address': await client.checkSpam({ ...said, ip: '', content: 'نص ثالث هادئ' }),
    'no address': await fault(client.checkSpam({ name: 'x', content: 'x' })),
    administrator: await client.checkSpam({ ...said, role: 'administrator', content: REJECTED }),
    submitSpam: (await client.submitSpam({ ...said, content: CALM })).text,
    submitHam: (await client.submitHam({ ...said, content: 'لم نره من قبل' })).text,
  };
  console.log(JSON.stringify(found));
})();
"""
CEDX = """
process.noDeprecation = true;
const { AkismetClient } = require('akismet');
const { KEY, PORT, CALM, REJECTED } = process.env;
const make = (apiKey) => new AkismetClient({ apiKey, blog: 'https://news.example', host: 'rest.test', port: Number(PORT) });
const said = { user_ip: '203.0.113.7', comment_author: 'ليلى', comment_author_email: 'layla@example.com' };
const call = (client, name, fields) => new Promise((resolve) => {
  const done = (error, value) => resolve(error ? `${error.message}` : value === undefined ? null : value);
  if (fields) client[name](fields, done); else client[name](done);
});
(async () => {
  const client = make(KEY);
  const found = {
    verify: await call(client, 'verifyKey'),
    'wrong key': await call(make('0123456789ab'), 'verifyKey'),
    'wrong key, check': await call(make('0123456789ab'), 'checkComment', { ...said, comment_content: REJECTED }),
    ham: await call(client, 'checkComment', { ...said, comment_content: CALM }),
    spam: await call(client, 'checkComment', { ...said, comment_content: REJECTED }),
    submitSpam: await call(client, 'submitSpam', { ...said, comment_content: CALM }),
    submitHam: await call(client, 'submitHam', { ...said, comment_content: 'لم نره من قبل' }),
  };
  console.log(JSON.stringify(found));
})();
"""


@pytest.fixture(scope="module")
def npm_clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("npm")
    modules = install_from_npm(folder, *NPM_CLIENTS)
    (folder / "resolve.js").write_text(RESOLVE)
    return modules


async def run(site: AkismetSite, *command: str, **more: str) -> dict[str, object]:
    client = site.service.client
    found = await run_program(
        *command,
        KEY=site.key,
        URL=str(client.make_url("/")),
        PORT=str(client.port),
        CALM=CALM,
        REJECTED=REJECTED,
        DOUBTFUL=DOUBTFUL,
        **more,
    )
    return dict(found)


async def learned(site: AkismetSite) -> tuple[list[str], list[tuple[str, int]]]:
    """Return the site's decisions and the labels that the clients' feedback made."""
    decisions = await site.rows("SELECT verdict FROM decisions WHERE decided_by = 'site'")
    labels = await site.rows("SELECT text, spam FROM labels")
    return [row["verdict"] for row in decisions], [(row["text"], row["spam"]) for row in labels]


async def test_pypi_akismet(
    tmp_path_factory: pytest.TempPathFactory, fresh_database_url: str, running_engines: EngineAddresses
) -> None:
    folder = install_from_pypi(tmp_path_factory.mktemp("pip"), PYTHON_CLIENT)
    async with akismet_site(
        fresh_database_url, running_engines.redis_url, policy=BANNED, site={"akismet_discard": True}
    ) as site:
        found = await run(site, sys.executable, "-c", PYTHON_PROGRAM, PYTHONPATH=str(folder))
        sites = found.pop("key_sites, key in the host")
        table = str(found.pop("key_sites, csv"))
        usage = found.pop("usage_limit")
        assert found == {
            "wrong key": "APIKeyError",
            "wrong key, check": "APIKeyError",
            "ham": "HAM",
            "spam": "DISCARD",
            "doubt": "SPAM",
            "test": "DISCARD",
            "guaranteed": "SPAM",
            "submit_spam": True,
            "submit_ham": True,
            "key_sites": "APIKeyError",
            "asynchronous": "HAM",
        }
        assert isinstance(usage, dict)
        assert isinstance(sites, dict)
        assert usage["limit"] == "none"
        assert sites["limit"] == 500
        assert table.startswith("Active sites during ")
        assert await learned(site) == (["reject"], [("لم نره من قبل", 0)])


@pytest.mark.node
async def test_npm_akismet_api(npm_clients: Path, site: AkismetSite) -> None:
    preload = str(npm_clients.parent / "resolve.js")
    found = await run(site, "node", "-r", preload, "-e", AKISMET_API, NODE_PATH=str(npm_clients))
    thanks = "Thanks for making the web a better place."
    assert found == {
        "verify": True,
        "wrong key": False,
        "wrong key, check": "Invalid API key",
        "ham": False,
        "spam": True,
        "doubt": True,
        "trap": True,
        "empty address": False,
        "no address": "Invalid API key",
        "administrator": False,
        "submitSpam": thanks,
        "submitHam": thanks,
    }
    assert await learned(site) == (["reject"], [("لم نره من قبل", 0)])


@pytest.mark.node
async def test_npm_akismet(npm_clients: Path, site: AkismetSite) -> None:
    preload = str(npm_clients.parent / "resolve.js")
    found = await run(site, "node", "-r", preload, "-e", CEDX, NODE_PATH=str(npm_clients))
    assert found == {
        "verify": True,
        "wrong key": False,
        "wrong key, check": False,
        "ham": False,
        "spam": True,
        "submitSpam": None,
        "submitHam": None,
    }
    assert await learned(site) == (["reject"], [("لم نره من قبل", 0)])
