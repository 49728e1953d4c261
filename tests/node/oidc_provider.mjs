// A provider of identities for tests: oidc-provider, where anybody signs in as whom they type.
// node oidc_provider.mjs MODULES PORT BACK...
const [modules, port, ...back] = process.argv.slice(2);
const { default: Provider } = await import(`${modules}/oidc-provider/lib/index.js`);
const issuer = `http://localhost:${port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: "zhidao", client_secret: "a secret of the test", redirect_uris: back, grant_types: ["authorization_code"], response_types: ["code"] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  scopes: ["openid", "email", "profile"],
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: !id.startsWith("unverified") }) }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
