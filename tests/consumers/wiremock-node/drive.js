// Drives standin with two of WireMock's clients from npm: node drive.js <base URL of a sandbox>
// wiremock-captain makes stubs and looks at what came; wiremock-rest-client has the calls that it lacks.
"use strict";

const assert = require("node:assert/strict");
const { BodyType, DelayType, EndpointFeature, MatchingAttributes, WireMock, WireMockAPI, WireMockFault } = require("wiremock-captain");
const { WireMockRestClient } = require("wiremock-rest-client");

const base = process.argv[2].replace(/\/+$/, "");
const captain = new WireMock(`${base}/`);
const rest = new WireMockRestClient(`${base}/`, { logLevel: "silent", continueOnFailure: true });

const get = (path, options) => fetch(base + path, options);
const text = async (path) => (await get(path)).text();

async function main() {
    // Create, list, get, update, delete.
    const hello = await captain.register(
        {
            method: "POST",
            endpoint: "/node/hello",
            headers: { Accept: "application/json" },
            queryParameters: { page: 2 },
            cookies: { session: "abc" },
            body: { name: "x", tags: ["a", "b"] },
        },
        { status: 201, body: { hello: "world" }, headers: { "X-Stub": "yes" } },
        {
            stubPriority: 1,
            requestEndpointFeature: EndpointFeature.UrlPath,
            requestHeaderFeatures: { Accept: MatchingAttributes.Contains },
            requestIgnoreArrayOrder: true,
            requestIgnoreExtraElements: true,
        },
    );
    assert.match(hello.id, /^[0-9a-f-]{36}$/);
    const sent = (tags) => ({
        method: "POST",
        headers: { Accept: "text/x, application/json", Cookie: "session=abc", "Content-Type": "application/json" },
        body: JSON.stringify({ more: true, tags, name: "x" }),
    });
    const answer = await get("/node/hello?page=2", sent(["b", "a"]));
    assert.equal(answer.status, 201);
    assert.deepEqual(await answer.json(), { hello: "world" });
    assert.equal(answer.headers.get("matched-stub-id"), hello.id);
    assert.equal((await get("/node/hello?page=2", sent(["b"]))).status, 404);

    assert.deepEqual((await captain.getAllMappings()).map((mapping) => mapping.id), [hello.id]);
    assert.equal((await captain.getMapping(hello.id)).priority, 1);
    const changed = await rest.mappings.updateMapping(hello.id, {
        request: { method: "GET", urlPattern: "/node/hello.*" },
        response: { status: 200, base64Body: "aGk=" },
        metadata: { suite: "node" },
    });
    assert.equal(changed.uuid, hello.id);
    assert.equal(await text("/node/hello/again"), "hi");
    assert.equal((await rest.mappings.getMapping(hello.id)).response.base64Body, "aGk=");
    assert.equal((await rest.mappings.getAllMappings()).meta.total, 1);
    await rest.mappings.saveAllMappings();

    // What is wrong is told at its place.
    const wrong = await rest.mappings.createMapping({ request: { url: "/a", methd: "GET" }, response: { proxyBaseUrl: "http://a" } });
    assert.deepEqual(wrong.errors.map((error) => error.source.pointer), ["/request/methd", "/response/proxyBaseUrl"]);
    assert.match(wrong.errors[0].detail, /Did you mean `method`\?/);

    // Priority.
    const page = new WireMockAPI(`${base}/`, "/node/page", "GET");
    await page.register({}, { status: 200, body: "general" }, { stubPriority: 9, responseBodyType: BodyType.Body });
    const special = await page.register({}, { status: 200, body: "special" }, { stubPriority: 2, responseBodyType: BodyType.Body });
    assert.equal(await text("/node/page"), "special");
    await captain.deleteMapping(special.id);
    assert.equal(await text("/node/page"), "general");
    assert.equal((await get(`/__admin/mappings/${special.id}`)).status, 404);

    // A scenario.
    const scene = (body, requiredScenarioState, newScenarioState) =>
        captain.register(
            { method: "GET", endpoint: "/node/invoice" },
            { status: 200, body },
            { responseBodyType: BodyType.Body, scenario: { scenarioName: "invoice", requiredScenarioState, newScenarioState } },
        );
    await scene("open", "Started", "paid");
    await scene("closed", "paid");
    assert.deepEqual([await text("/node/invoice"), await text("/node/invoice")], ["open", "closed"]);
    const [scenario] = await captain.getAllScenarios();
    assert.deepEqual([scenario.name, scenario.state, scenario.possibleStates], ["invoice", "paid", ["Started", "paid"]]);
    await captain.resetAllScenarios();
    assert.equal(await text("/node/invoice"), "open");
    await rest.scenarios.setScenarioState("invoice", "Started");
    assert.equal(await text("/node/invoice"), "open");
    await rest.scenarios.resetScenario("invoice");
    assert.equal((await rest.scenarios.getAllScenarios()).scenarios[0].state, "Started");
    const unknown = await rest.scenarios.setScenarioState("invoice", "lost");
    assert.match(unknown.errors[0].detail, /`Started` or `paid`/);

    // Faults and delays.
    await captain.register({ method: "GET", endpoint: "/node/fault" }, { status: 200 }, { fault: WireMockFault.CONNECTION_RESET_BY_PEER });
    await assert.rejects(get("/node/fault"), (error) => error.cause.code === "ECONNRESET");
    await captain.register({ method: "GET", endpoint: "/node/slow" }, { status: 200 }, { responseDelay: { type: DelayType.FIXED, constantDelay: 300 } });
    const began = performance.now();
    assert.equal((await get("/node/slow")).status, 200);
    assert.ok(performance.now() - began >= 299);
    await captain.register(
        { method: "GET", endpoint: "/node/dribble" },
        { status: 200, body: "drop by drop" },
        { responseBodyType: BodyType.Body, responseDelay: { type: DelayType.CHUNKED_DRIBBLE, numberOfChunks: 3, totalDuration: 60 } },
    );
    assert.equal(await text("/node/dribble"), "drop by drop");

    // Count, find, get, remove.
    const pattern = { method: "GET", url: "/node/page" };
    assert.equal((await rest.requests.getCount(pattern)).count, 2);
    assert.equal((await rest.requests.findRequests(pattern)).requests.length, 2);
    assert.equal((await page.getRequestsForAPI()).length, 2);
    const all = await captain.getAllRequests();
    const first = all.at(-1);
    assert.deepEqual([first.request.url, first.wasMatched], ["/node/hello?page=2", true]);
    assert.equal((await rest.requests.getRequest(first.id)).responseDefinition.status, 201);
    await rest.requests.deleteRequest(first.id);
    assert.equal((await captain.getAllRequests()).length, all.length - 1);
    assert.equal((await rest.requests.removeRequests(pattern)).serveEvents.length, 2);
    assert.equal((await rest.requests.getCount(pattern)).count, 0);

    // Unmatched requests and near misses.
    assert.equal((await get("/node/invoices")).status, 404);
    assert.deepEqual((await captain.getUnmatchedRequests()).map((request) => request.url), ["/node/invoices", "/node/hello?page=2"]);
    const { nearMisses } = await rest.requests.getUnmatchedNearMisses();
    assert.equal(nearMisses[0].stubMapping.request.url, "/node/invoice");
    assert.equal(nearMisses[0].matchResult.differences[0].in, "url");
    const near = await rest.requests.getNearMissesByRequest({ url: "/node/invoic", method: "GET" });
    assert.ok(near.nearMisses.length >= 1 && near.nearMisses.length <= 3);
    const back = await rest.requests.getNearMissesByRequestPattern({ url: "/node/invoice" });
    assert.equal(back.nearMisses[0].matchResult.distance, 0);

    // By metadata.
    const tagged = { matchesJsonPath: { expression: "$.suite", equalTo: "node" } };
    assert.deepEqual((await rest.mappings.findByMetaData(tagged)).mappings.map((mapping) => mapping.id), [hello.id]);
    await rest.mappings.removeByMetaData(tagged);
    assert.equal((await rest.mappings.findByMetaData(tagged)).meta.total, 0);

    // Reset.
    await rest.requests.resetAllRequests();
    assert.equal((await captain.getAllRequests()).length, 0);
    await captain.clearAllExceptDefault();
    assert.deepEqual(await captain.getAllMappings(), []);
    await captain.register({ method: "GET", endpoint: "/node/last" }, { status: 200 });
    await rest.global.resetAll();
    assert.equal((await get("/node/last")).status, 404);
    await captain.clearAll();
    console.log("driven by wiremock-captain and wiremock-rest-client from npm");
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
