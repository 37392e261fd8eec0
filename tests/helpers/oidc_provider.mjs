// An authorization server for the tests: node-oidc-provider, which refuses each request that breaks a rule of OAuth.
//
//   node oidc_provider.mjs
//
// The first line of stdin is a JSON list of the resources (RFC 8707) that it issues tokens for. Then it prints its
// issuer. It demands PKCE, and its access tokens are JWTs. Its only user is signed in and consents to each request:
// /oauth2/authorize answers with the redirect to the client, so that a test needs no cookies. It ends with stdin.

import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Provider, errors } from "oidc-provider";

const SCOPES = ["openid", "profile", "email", "offline_access"];

const lines = createInterface({ input: process.stdin }).on("close", () => process.exit());
const [line] = await once(lines, "line");
const resources = JSON.parse(line);

const server = createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  scopes: SCOPES,
  clientBasedCORS: () => true,
  cookies: { keys: ["for tests"] },
  findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  routes: Object.fromEntries(
    // the paths of AuthKit
    [["authorization", "authorize"], ["jwks", "jwks"], ["registration", "register"], ["token", "token"]].map(
      ([route, name]) => [route, `/oauth2/${name}`],
    ),
  ),
  pkce: { required: () => true },
  ttl: { AccessToken: 300, Grant: 3600, IdToken: 300, Interaction: 60, Session: 3600 },
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo(_context, resource) {
        if (!resources.includes(resource)) throw new errors.InvalidTarget();
        const jwt = { sign: { alg: "RS256" } };
        return { scope: SCOPES.join(" "), audience: resource, accessTokenFormat: "jwt", jwt };
      },
    },
  },
});

provider.use(async (context, next) => {
  if (!context.path.startsWith("/interaction/")) return next();
  const { params } = await provider.interactionDetails(context.req, context.res);
  const grant = new provider.Grant({ accountId: "developer", clientId: params.client_id });
  if (params.scope) {
    grant.addOIDCScope(params.scope);
    for (const resource of [params.resource ?? []].flat()) grant.addResourceScope(resource, params.scope);
  }
  const consent = { grantId: await grant.save() };
  await provider.interactionFinished(context.req, context.res, { login: { accountId: "developer" }, consent });
});

/** Follow the redirects within the provider, with the cookies of one sign-in, and return the last response. */
async function signIn(path) {
  const cookies = new Map();
  for (let url = new URL(path, issuer); ; ) {
    const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
    const response = await fetch(url, { redirect: "manual", headers: { cookie } });
    for (const [pair] of response.headers.getSetCookie().map((text) => text.split(";"))) {
      const [name, value] = pair.split(/=(.*)/s);
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    const location = new URL(response.headers.get("location") ?? "about:blank", issuer);
    if (location.origin !== issuer) return response;
    url = location;
  }
}

const handle = provider.callback();
server.on("request", async (request, response) => {
  if (!request.url.startsWith("/oauth2/authorize?") || "cookie" in request.headers) return handle(request, response);
  const last = await signIn(request.url);
  const headers = ["content-type", "location"].filter((name) => last.headers.has(name));
  response.writeHead(last.status, Object.fromEntries(headers.map((name) => [name, last.headers.get(name)])));
  response.end(await last.text());
});
console.log(issuer);
