// One session of an MCP client of the TypeScript SDK, as an application with stored credentials has it.
//
//   node session.mjs v1|v2 MCP_URL STATE_FILE SECONDS TOOL ARGUMENTS
//
// Connects with what STATE_FILE holds; where it must, it discovers, registers and signs in, the redirect followed
// without a browser. Then it lists the tools, waits for SECONDS and calls TOOL. Prints one JSON object: what happened,
// or the error as the application would show it.

import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const [version, mcpUrl, stateFile, seconds, tool, toolArguments] = process.argv.slice(2);

const { Client, StreamableHTTPClientTransport, UnauthorizedError } =
  version === "v1"
    ? {
        ...(await import("@modelcontextprotocol/sdk/client/index.js")),
        ...(await import("@modelcontextprotocol/sdk/client/streamableHttp.js")),
        ...(await import("@modelcontextprotocol/sdk/client/auth.js")),
      }
    : await import("@modelcontextprotocol/client");

const CALLBACK = "http://127.0.0.1:9/callback"; // nobody listens there: the code is read from the redirect

/** An OAuthClientProvider that keeps everything in a file. */
class Provider {
  #kept = {};
  authorizationUrl = null;
  redirectUrl = CALLBACK;
  clientMetadata = {
    client_name: `TypeScript SDK ${version}`,
    redirect_uris: [CALLBACK],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
    scope: "openid offline_access",
  };

  constructor() {
    try {
      this.#kept = JSON.parse(readFileSync(stateFile, "utf8"));
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
  }
  #keep(name, value) {
    this.#kept[name] = value;
    writeFileSync(stateFile, JSON.stringify(this.#kept));
  }
  clientInformation = () => this.#kept.client;
  saveClientInformation = (client) => this.#keep("client", client);
  tokens = () => this.#kept.tokens;
  saveTokens = (tokens) => this.#keep("tokens", tokens);
  codeVerifier = () => this.#kept.verifier;
  saveCodeVerifier = (verifier) => this.#keep("verifier", verifier);
  discoveryState = () => this.#kept.discovery;
  saveDiscoveryState = (discovery) => this.#keep("discovery", discovery);
  redirectToAuthorization = (url) => {
    this.authorizationUrl = url;
  };
}

/** Send the request of a browser where nobody is asked, and return the parameters of the redirect to the client. */
async function authorize(url) {
  const answer = await fetch(url, { redirect: "manual" });
  const location = answer.headers.get("location");
  if (!location?.startsWith(CALLBACK)) throw new Error(`no redirect with a code, but HTTP ${answer.status}`);
  return new URL(location).searchParams;
}

async function connect(provider) {
  const transport = new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: provider });
  const client = new Client({ name: "session", version: "1.0.0" });
  try {
    await client.connect(transport);
    return client;
  } catch (error) {
    if (!(error instanceof UnauthorizedError && provider.authorizationUrl)) throw error;
    const callback = await authorize(provider.authorizationUrl);
    await transport.finishAuth(callback.get("code"), callback.get("iss") ?? undefined); // v1 ignores iss
    const again = new Client({ name: "session", version: "1.0.0" });
    await again.connect(new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: provider }));
    return again;
  }
}

const provider = new Provider();
try {
  const client = await connect(provider);
  const { tools } = await client.listTools();
  const first = provider.tokens()?.access_token;
  await sleep(seconds * 1000);
  const { content } = await client.callTool({ name: tool, arguments: JSON.parse(toolArguments) });
  const signedIn = provider.authorizationUrl !== null;
  const refreshed = provider.tokens()?.access_token !== first;
  console.log(JSON.stringify({ tools: tools.map((one) => one.name), text: content[0].text, signedIn, refreshed }));
  await client.close();
} catch (error) {
  console.log(JSON.stringify({ error: [error.name, error.message].filter(Boolean).join(": ") }));
}
