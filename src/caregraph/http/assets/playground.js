// The playground: GraphiQL, a choice of who is signed in, and the operation documents as examples.

const { createElement: h, useEffect, useRef, useState } = React;
const { useEditorContext, useExecutionContext } = GraphiQL.React;
const { parse } = GraphiQL.GraphQL;

const page = document.getElementById("playground");
const storage = credentialFree(GraphiQL.createLocalStorage({ namespace: "caregraph" }));
let signedIn; // the principal whose headers a new tab gets; undefined when the server offers none

start().catch(() => notice("The playground could not load its configuration. Is the server running? Then reload."));

async function start() {
  const config = await (await fetch("/playground/config.json")).json();
  signedIn = config.principals.find(({ name }) => name === storage.getItem("principal")) ?? config.principals[0];
  ReactDOM.createRoot(page).render(h(Playground, {
    ...config,
    fetcher: fetcherFor(config),
    plugins: [examplesPlugin(config)],
    isFirstVisit: !storage.getItem("graphiql:tabState"),
  }));
}

function notice(text) {
  page.replaceChildren(Object.assign(document.createElement("p"), { className: "notice", role: "alert", textContent: text }));
}

function Playground({ principals, defaultQuery, fetcher, plugins, isFirstVisit }) {
  const [defaultHeaders, setDefaultHeaders] = useState(headersOf(signedIn));
  const signIn = (principal) => {
    signedIn = principal;
    storage.setItem("principal", principal.name);
    setDefaultHeaders(headersOf(principal));
  };
  return h(
    GraphiQL,
    {
      fetcher, plugins, storage, defaultQuery, defaultHeaders,
      shouldPersistHeaders: false,
      defaultEditorToolsVisibility: "headers",
      inputValueDeprecation: true,
      schemaDescription: true,
    },
    h(GraphiQL.Logo, null, null),
    principals.length > 0 && h(SignedInAs, { principals, signIn }),
    isFirstVisit && h(Welcome),
  );
}

// Tells the truth about the tab in view: it follows the headers editor, whoever wrote there.
function SignedInAs({ principals, signIn }) {
  const { headerEditor } = useEditorContext({ nonNull: true });
  const [headers, setHeaders] = useState(headersOf(signedIn));
  useEffect(() => {
    if (!headerEditor) return undefined;
    headerEditor.setOption("lineWrapping", true);
    const read = () => setHeaders(headerEditor.getValue());
    read();
    headerEditor.on("change", read);
    return () => headerEditor.off("change", read);
  }, [headerEditor]);

  const chosen = principals.find((principal) => compact(headersOf(principal)) === compact(headers || "{}"));
  const choose = (event) => {
    const principal = principals.find(({ name }) => name === event.target.value);
    signIn(principal);
    headerEditor.setValue(headersOf(principal));
    showTool("headers");
  };
  const options = principals.map(({ name, organization }) =>
    h("option", { key: name, value: name }, organization ? `${name} · ${organization}` : name));
  if (!chosen) options.unshift(h("option", { key: "", value: "", disabled: true }, "own headers"));
  return ReactDOM.createPortal(
    h("label", null, h("span", null, "Signed in as"),
      h("select", { value: chosen?.name ?? "", disabled: !headerEditor, onChange: choose }, options)),
    document.getElementById("signed-in-as"),
  );
}

// The first visit starts with an answer on the right and, where there is room, the examples on the left.
function Welcome() {
  const { queryEditor, variableEditor, headerEditor, responseEditor } = useEditorContext({ nonNull: true });
  const { run } = useExecutionContext({ nonNull: true });
  const isReady = Boolean(queryEditor && variableEditor && headerEditor && responseEditor);
  const hasRun = useRef(false);
  useEffect(() => {
    if (!isReady || hasRun.current) return;
    hasRun.current = true;
    run();
    if (matchMedia("(min-width: 1100px)").matches) press('[aria-label="Show Examples"]');
  }, [isReady, run]);
  return null;
}

function examplesPlugin({ examples: plain, defaultQuery }) {
  const examples = plain.map((example) => {
    const [{ operation: kind, name }] = operationsOf(parse(example.query));
    return { ...example, kind, operationName: name?.value ?? null };
  });
  return {
    title: "Examples",
    icon: () => h("svg", { viewBox: "0 0 20 20", fill: "none", stroke: "currentColor", strokeWidth: 1.5, strokeLinecap: "round" },
      h("path", { d: "M2.5 4.5h3m-3 5.5h3m-3 5.5h3M9 4.5h8.5M9 10h8.5M9 15.5h8.5" })),
    content: () => h(Examples, { examples, defaultQuery }),
  };
}

function Examples({ examples, defaultQuery }) {
  const [search, setSearch] = useState("");
  const open = useOpen(examples, defaultQuery);
  const words = search.toLowerCase().split(/\s+/);
  const found = examples.filter(({ name, group }) => words.every((word) => `${group} ${name}`.toLowerCase().includes(word)));
  return h("section", { className: "examples", "aria-labelledby": "examples-title" },
    h("h2", { id: "examples-title", className: "graphiql-doc-explorer-title" }, "Examples"),
    h("input", {
      type: "search", value: search, placeholder: "Find an operation", "aria-label": "Find an operation",
      onChange: (event) => setSearch(event.target.value),
    }),
    h("p", { className: "count", role: "status" }, `${found.length} of ${examples.length} operations`),
    [...bySystem(found)].map(([system, groups]) => h("section", { key: system, "aria-label": system },
      h("h3", null, system),
      [...groups].map(([group, members]) => h("details", {
        // A changed key rebuilds the element: everything found is open, otherwise what the reader opened.
        key: `${group}${search ? " found" : ""}`, open: search !== "" || examples.length <= 20,
      },
      h("summary", null, group, h("span", { className: "count" }, members.length)),
      h("ul", null, members.map((example) => h("li", { key: example.name },
        h("button", { type: "button", onClick: () => open(example) },
          example.name,
          example.kind !== "query" && h("span", { className: `kind ${example.kind}` }, example.kind))))))))));
}

// "fit/clients" stands under the heading "fit" as "clients".
function bySystem(examples) {
  const systems = new Map();
  for (const example of examples) {
    const [system, group = system] = example.group.split("/", 2);
    if (!systems.has(system)) systems.set(system, new Map());
    const groups = systems.get(system);
    groups.set(group, [...(groups.get(group) ?? []), example]);
  }
  return systems;
}

// Opens an example in the tab in view while that still shows an untouched document, in a new tab otherwise.
function useOpen(examples, defaultQuery) {
  const editor = useEditorContext({ nonNull: true });
  const execution = useExecutionContext({ nonNull: true });
  return (example) => {
    const untouched = new Set([defaultQuery, "", ...examples.map(({ query }) => query)]);
    const variables = Object.keys(example.variables).length > 0;
    execution.stop();
    // addTab fills the editors while React renders, so it has to be done before they are filled again.
    if (!untouched.has(editor.queryEditor.getValue())) ReactDOM.flushSync(() => editor.addTab());
    editor.queryEditor.setValue(example.query);
    editor.setOperationName(example.operationName);
    editor.variableEditor.setValue(variables ? JSON.stringify(example.variables, null, 2) : "");
    editor.responseEditor.setValue("");
    editor.updateActiveTabValues({ response: null });
    showTool(variables ? "variables" : "headers");
    if (isNarrow()) press('[aria-label="Hide Examples"]');
    editor.queryEditor.focus();
  };
}

function fetcherFor({ url, subscriptionUrl }) {
  const socket = new URL(subscriptionUrl, location.href);
  socket.protocol = socket.protocol.replace("http", "ws");
  const fetcher = GraphiQL.createFetcher({
    url,
    subscriptionUrl: socket.href,
    fetch: readableFetch,
    enableIncrementalDelivery: false,
    headers: { accept: "application/graphql-response+json, application/json", "graphql-require-preflight": "1" },
  });
  return (operation, options) => {
    // GraphiQL asks for the schema before its headers editor exists.
    const isAboutSchema = operation.operationName === "IntrospectionQuery";
    const headers = options?.headers ?? (isAboutSchema ? signedIn?.headers : undefined);
    return fetcher(...current(operation, { ...options, headers }));
  };
}

// GraphiQL reads a changed document 100 ms later; until then it sends the former name and syntax tree with it.
function current(operation, options) {
  let documentAST;
  try {
    documentAST = parse(operation.query);
  } catch {
    return [operation, options]; // the server says what is wrong with the document
  }
  const names = operationsOf(documentAST).map(({ name }) => name?.value);
  const operationName = names.includes(operation.operationName) ? operation.operationName : names[0];
  return [{ ...operation, operationName }, { ...options, documentAST }];
}

function operationsOf(documentAST) {
  return documentAST.definitions.filter(({ kind }) => kind === "OperationDefinition");
}

// What is no JSON answer becomes one that says what happened, so that it is read in the response pane.
async function readableFetch(url, options) {
  const failure = (message) => Response.json({ errors: [{ message }] });
  let response;
  try {
    response = await fetch(url, options);
  } catch {
    return failure(`No answer from ${location.origin}. Is the server running?`);
  }
  const mediaType = response.headers.get("content-type") ?? "";
  if (mediaType.includes("json")) return response;
  const reason = mediaType.startsWith("text/plain") ? await response.text() : "no reason given";
  return failure(`The server answered ${response.status} ${response.statusText}: ${reason}`);
}

// GraphiQL keeps the headers of each query in its history even when told not to persist headers. Here they are
// dropped on the way in, and on the way out an entry gets those of the principal who is signed in.
function credentialFree(store) {
  const isHistory = (key) => key === "graphiql:queries" || key === "graphiql:favorites";
  const replaceHeaders = (text, headers) =>
    JSON.stringify(JSON.parse(text), (key, value) => (key === "headers" ? headers : value));
  return {
    getItem(key) {
      const value = store.getItem(key);
      return value && isHistory(key) ? replaceHeaders(value, headersOf(signedIn)) : value;
    },
    setItem: (key, value) => store.setItem(key, isHistory(key) ? replaceHeaders(value, null) : value),
    removeItem: store.removeItem,
    clear: store.clear,
    get length() { return store.length; },
  };
}

function headersOf(principal) {
  return JSON.stringify(principal?.headers ?? {}, null, 2);
}

function compact(json) {
  try {
    return JSON.stringify(JSON.parse(json));
  } catch {
    return null;
  }
}

function isNarrow() {
  return matchMedia("(max-width: 860px)").matches;
}

// GraphiQL keeps to itself which tool and which panel is open; their buttons are the way in.
function showTool(name) {
  press(`.graphiql-editor-tools [data-name="${name}"]`);
}

function press(selector) {
  document.querySelector(selector)?.click();
}
