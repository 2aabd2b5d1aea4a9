// What test_javascript.py asks the JavaScript client to do: node javascript_client.mjs CLIENT KUBECONFIG NAMESPACE PART. Prints what it saw.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import readline from "node:readline";
import { PassThrough, Writable } from "node:stream";

const [client, kubeconfig, namespace, part] = process.argv.slice(2);
const k8s = await import(client);
const config = new k8s.KubeConfig();
config.loadFromFile(kubeconfig);
const core = config.makeApiClient(k8s.CoreV1Api);
const apps = config.makeApiClient(k8s.AppsV1Api);
const say = (...words) => console.log(...words);
const map = (name, data) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, labels: { made: "here" } }, data });

class Text extends Writable {
  text = "";
  _write(chunk, _, done) { this.text += chunk; done(); }
}

async function until(condition) {
  for (let i = 0; i < 600; i++) {
    const found = await condition();
    if (found) return found;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error("waited in vain for " + condition);
}

async function refused(promise) {
  try { await promise; } catch (error) { return error; }
  throw new Error("was not refused");
}

// Runs a command; resolves with what it printed and how it ended.
function run(command, input = null) {
  const out = new Text(), err = new Text();
  return new Promise((resolve, reject) =>
    new k8s.Exec(config).exec(namespace, "server", "server", command, out, err, input, false,
                              (status) => resolve([out.text, err.text, status.status, status.reason ?? "", status.details?.causes?.[0]?.message ?? ""])).catch(reject));
}

const parts = {
  async lists() {
    for (const name of ["one", "two", "three"]) await core.createNamespacedConfigMap({ namespace, body: map(name, { a: "1" }) });
    const names = [];
    let _continue;
    do {
      const page = await core.listNamespacedConfigMap({ namespace, labelSelector: "made=here", limit: 2, _continue });
      names.push(...page.items.map((item) => item.metadata.name));
      _continue = page.metadata._continue;
    } while (_continue);
    say(names.join(" "));
    const pod = await core.readNamespacedPod({ name: "server", namespace });
    say(pod.metadata.creationTimestamp instanceof Date, pod.status.phase, pod.spec.containers[0].imagePullPolicy);
    const missing = await refused(core.readNamespacedPod({ name: "missing", namespace }));
    say(missing.code, JSON.parse(missing.body).reason);
    const bad = await refused(core.createNamespacedConfigMap({ namespace, body: map("Not_A_Name", {}) }));
    say(bad.code, JSON.parse(bad.body).details.causes[0].field);
    const version = await config.makeApiClient(k8s.VersionApi).getCode();
    say(version.gitVersion.split(".").slice(0, 2).join("."), version.platform);
    say(await new k8s.Health(config).readyz({}), await new k8s.Health(config).livez({}));
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: "made=here" });
    say((await core.listNamespacedConfigMap({ namespace, labelSelector: "made=here" })).items.length);
  },

  async patches() {
    const labels = { app: "patched" };
    const image = "busybox:1.36";
    const body = { metadata: { name: "patched" }, spec: { serviceName: "patched", replicas: 0, selector: { matchLabels: labels }, template: {
      metadata: { labels }, spec: { containers: [{ name: "main", image, env: [{ name: "A", value: "1" }, { name: "B", value: "2" }] }] } } } };
    await apps.createNamespacedStatefulSet({ namespace, body });
    const patch = (strategy, body, more = {}) =>
      apps.patchNamespacedStatefulSet({ name: "patched", namespace, body, ...more }, k8s.setHeaderOptions("Content-Type", strategy));
    const told = (found) => say(found.spec.template.spec.containers.map((each) => each.name + ":" + (each.env ?? []).map((e) => e.name + e.value)).join(" "));
    const containers = (...list) => ({ spec: { template: { spec: { containers: list } } } });
    told(await patch(k8s.PatchStrategy.StrategicMergePatch, containers({ name: "main", env: [{ name: "B", value: "3" }] })));
    told(await patch(k8s.PatchStrategy.JsonPatch, [{ op: "replace", path: "/spec/template/spec/containers/0/env/0/value", value: "9" }]));
    told(await patch(k8s.PatchStrategy.MergePatch, containers({ name: "only", image })));
    const applied = { apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "patched" }, ...containers({ name: "second", image }) };
    told(await patch(k8s.PatchStrategy.ServerSideApply, applied, { fieldManager: "script" }));
    const conflict = await refused(patch(k8s.PatchStrategy.ServerSideApply, { ...applied, spec: { replicas: 1 } }, { fieldManager: "other" }));
    say(conflict.code, JSON.parse(conflict.body).details.causes[0].field);
    const objects = k8s.KubernetesObjectApi.makeApiClient(config);
    const made = await objects.create(map("object", { a: "1" }));
    const changed = await objects.patch({ ...map("object", { b: "2" }), metadata: made.metadata }, undefined, undefined, undefined, undefined, k8s.PatchStrategy.MergePatch);
    say(JSON.stringify(changed.data));
    const scale = await apps.readNamespacedStatefulSetScale({ name: "patched", namespace });
    say(scale.spec.replicas, scale.status.selector);
    await objects.delete(map("object"));
    await apps.deleteNamespacedStatefulSet({ name: "patched", namespace });
  },

  // Two streams, the second from where the first was cut; then a revision that is no number.
  async watches() {
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    let version = (await core.listNamespacedConfigMap({ namespace })).metadata.resourceVersion;
    const seen = [];
    for (const turn of ["a", "b"]) {
      await core.createNamespacedConfigMap({ namespace, body: map("watched-" + turn, {}) });
      await new Promise((resolve) => new k8s.Watch(config).watch(path, { resourceVersion: version, timeoutSeconds: 1, allowWatchBookmarks: true },
        (phase, object) => {
          version = object.metadata.resourceVersion;
          if (phase !== "BOOKMARK") seen.push(phase + " " + object.metadata.name);
        }, resolve));
    }
    say(seen.join(", "));
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: "made=here" });
    const error = await new Promise((resolve) => new k8s.Watch(config).watch(path, { resourceVersion: "x" }, () => {}, resolve));
    say(error.message);
  },

  // Tells each change; "restart" on the standard input comes while the server is away.
  async informer() {
    const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`,
      () => core.listNamespacedConfigMap({ namespace, labelSelector: "made=here" }), "made=here");
    informer.on("add", (item) => say("add", item.metadata.name));
    informer.on("update", (item) => say("update", item.metadata.name, item.data.a));
    informer.on("delete", (item) => say("delete", item.metadata.name));
    informer.on("error", () => setTimeout(() => informer.start(), 200));
    await core.createNamespacedConfigMap({ namespace, body: map("first", { a: "1" }) });
    await informer.start();
    await until(() => informer.get("first", namespace));
    await core.replaceNamespacedConfigMap({ name: "first", namespace, body: map("first", { a: "2" }) });
    await until(() => informer.get("first", namespace).data.a === "2");
    say("restart");
    for await (const line of readline.createInterface({ input: process.stdin })) if (line === "restarted") break;
    await core.deleteNamespacedConfigMap({ name: "first", namespace });
    await core.createNamespacedConfigMap({ namespace, body: map("after", { a: "1" }) });
    await until(() => informer.get("after", namespace) && !informer.get("first", namespace));
    say(informer.list().map((item) => item.metadata.name).join(" "));
    await informer.stop();
    process.exit(0);
  },

  async streams() {
    say(JSON.stringify(await run(["echo", "plain"])));
    say(JSON.stringify(await run(["sh", "-c", "echo out; echo err >&2; exit 7"])));
    const input = new PassThrough();
    const ended = run(["sh", "-c", "read line; echo got $line"], input);
    input.write("words\n");
    say(JSON.stringify(await ended));
    const closed = new PassThrough();
    closed.end("a\nb\n");
    say(JSON.stringify(await run(["wc", "-l"], closed)));  // ends with its standard input: protocol v5
    mkdirSync("up");
    writeFileSync("up/file", "x".repeat(300000));
    const cp = new k8s.Cp(config);
    await cp.cpToPod(namespace, "server", "server", "up", "/tmp");
    await until(async () => (await run(["sh", "-c", "wc -c < /tmp/file"]))[0].trim() === "300000");
    mkdirSync("down");
    await cp.cpFromPod(namespace, "server", "server", "file", "down", "/tmp");
    await until(() => { try { return readFileSync("down/file").length === 300000; } catch { return false; } });
    say("copied");
    const log = new Text();
    const done = new Promise((resolve) => log.on("finish", resolve));
    await new k8s.Log(config).log(namespace, "server", "server", log, { tailLines: 1 });
    await done;
    say(log.text.trim());
    const attached = new Text();
    const socket = await new k8s.Attach(config).attach(namespace, "ticker", "ticker", attached, null, null, false);
    await until(() => attached.text.includes("tick"));
    socket.close();
    say("attached");
  },

  async forward() {
    const forward = new k8s.PortForward(config);
    const listener = net.createServer((socket) => forward.portForward(namespace, "server", [8080], socket, null, socket));
    await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
    for (let i = 0; i < 2; i++) say(await (await fetch(`http://127.0.0.1:${listener.address().port}/`, { headers: { connection: "close" } })).text());
    process.exit(0);
  },

  async metrics() {
    const metrics = new k8s.Metrics(config);
    const pods = await until(async () => (await metrics.getPodMetrics(namespace)).items.find((each) => each.metadata.name === "server"));
    say(pods.containers[0].name, /^\d+n$/.test(pods.containers[0].usage.cpu), /^\d+Ki$/.test(pods.containers[0].usage.memory));
    say((await metrics.getNodeMetrics()).items.length);
    const [top] = (await k8s.topPods(core, metrics, namespace)).filter((each) => each.Pod.metadata.name === "server");
    say(Number(top.Memory.CurrentUsage) > 0, Number(top.Memory.RequestTotal));
    say((await k8s.topNodes(core)).map((each) => Number(each.CPU.Capacity) > 0).join(" "));
  },
};

await parts[part]();
