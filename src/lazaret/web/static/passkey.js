// Asks the browser for a passkey, and puts its answer into the form. Without it these forms stay hidden.

const forms = document.querySelectorAll("form[data-passkey]");

const octets = (text) => Uint8Array.from(
  atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0),
);
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function prepared(options) {
  const asked = { ...options, challenge: octets(options.challenge) };
  if (asked.user) asked.user = { ...asked.user, id: octets(asked.user.id) };
  for (const list of ["excludeCredentials", "allowCredentials"]) {
    if (asked[list]) asked[list] = asked[list].map((one) => ({ ...one, id: octets(one.id) }));
  }
  return asked;
}

function answered(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

async function ask(form) {
  const problem = form.querySelector("[data-problem]");
  problem.hidden = true;
  try {
    const said = await (await fetch(form.dataset.options)).json();
    const options = { publicKey: prepared(said.publicKey) };
    const credential = await navigator.credentials[form.dataset.passkey](options);
    form.elements.token.value = said.token;
    form.elements.answer.value = answered(credential);
    form.submit();
  } catch {
    problem.hidden = false;  // given up, no passkey here, or the server is away
  }
}

if (window.PublicKeyCredential) {
  for (const form of forms) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(form);
    });
  }
}
