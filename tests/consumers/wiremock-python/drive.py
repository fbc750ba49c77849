"""Drives standin with WireMock's client from PyPI: drive.py <base URL of a sandbox>"""

import sys
import time

import requests
from wiremock.client import (
    BasicAuthCredentials,
    DelayDistribution,
    GlobalSetting,
    GlobalSettings,
    HttpMethods,
    Mapping,
    MappingRequest,
    MappingResponse,
    Mappings,
    NearMissMatchPatternRequest,
    NearMissMatchRequest,
    NearMisses,
    Requests,
    ResponseFaultType,
    Scenarios,
    WireMockMatchers,
)
from wiremock.constants import Config
from wiremock.exceptions import ClientException, InvalidInputException, NotFoundException, ServerException

BASE = sys.argv[1].rstrip("/")
Config.base_url = f"{BASE}/__admin"


def raises(kind, call, *arguments):
    try:
        call(*arguments)
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} is not raised")


def get(path, **more):
    return requests.get(BASE + path, timeout=10, **more)


def add(request, response, **more):
    return Mappings.create_mapping(Mapping(request=request, response=response, **more))


# Create, list, get, update, delete.
hello = add(
    MappingRequest(
        method=HttpMethods.POST,
        url_path="/python/hello",
        headers={"Accept": {WireMockMatchers.CONTAINS: "json"}},
        query_parameters={"q": {WireMockMatchers.EQUAL_TO: "a b"}},
        basic_auth_credentials=BasicAuthCredentials(username="u", password="p"),
        body_patterns=[{WireMockMatchers.MATCHES_JSON_PATH: "$.items[?(@.id == 'x')]"}],
        metadata={},
    ),
    MappingResponse(status=201, json_body={"hello": ["world"]}, headers={"X-Stub": "yes"}),
    priority=1,
    persistent=False,
    metadata={"suite": "python"},
)
assert hello.id and hello.request.url_path == "/python/hello" and hello.response.status == 201
answer = requests.post(
    f"{BASE}/python/hello",
    params={"q": "a b"},
    auth=("u", "p"),
    headers={"Accept": "application/json"},
    json={"items": [{"id": "x"}]},
    timeout=10,
)
assert (answer.status_code, answer.json()) == (201, {"hello": ["world"]}), answer.text
assert (answer.headers["X-Stub"], answer.headers["Matched-Stub-Id"]) == ("yes", hello.id)

listed = Mappings.retrieve_all_mappings()
assert listed.meta.total == 1 and [mapping.id for mapping in listed.mappings] == [hello.id]
assert Mappings.retrieve_mapping(hello).priority == 1
hello.response = MappingResponse(status=202, body="changed")
assert Mappings.update_mapping(hello).response.status == 202
assert Mappings.retrieve_mapping(hello.id).response.body == "changed"
assert Mappings.persist_mappings().status_code == 200

# What is wrong is told at its place.
wrong = raises(InvalidInputException, add, MappingRequest(method="GET", url="no-slash"), MappingResponse(body_file_name="/etc/passwd"))
assert "/request/url" in str(wrong) and "no file" in str(wrong), wrong

# Priority: the smallest first; of equal ones the last.
add(MappingRequest(method="GET", url_path_pattern="/python/p.*"), MappingResponse(body="general"), priority=9)
special = add(MappingRequest(method="GET", url="/python/priority"), MappingResponse(body="special"), priority=2)
assert (get("/python/priority").text, get("/python/page").text) == ("special", "general")
Mappings.delete_mapping(special)
assert get("/python/priority").text == "general"
raises(NotFoundException, Mappings.retrieve_mapping, special.id)

# A scenario.
for state, following, body in [("Started", "paid", "open"), ("paid", None, "closed")]:
    add(
        MappingRequest(method="GET", url="/python/invoice"),
        MappingResponse(body=body),
        scenario_name="invoice",
        required_scenario_state=state,
        new_scenario_state=following,
    )
assert [get("/python/invoice").text for _ in range(3)] == ["open", "closed", "closed"]
Scenarios.reset_all_scenarios()
assert get("/python/invoice").text == "open"

# A fault and delays.
add(MappingRequest(method="GET", url="/python/fault"), MappingResponse(fault=ResponseFaultType.EMPTY_RESPONSE))
raises(requests.exceptions.ConnectionError, get, "/python/fault")
add(MappingRequest(method="GET", url="/python/slow"), MappingResponse(body="slow", fixed_delay_milliseconds=300))
began = time.monotonic()
assert get("/python/slow").text == "slow" and time.monotonic() - began >= 0.3
add(
    MappingRequest(method="GET", url="/python/drawn"),
    MappingResponse(body="drawn", delay_distribution=DelayDistribution(distribution_type="uniform", lower=1, upper=5)),
)
assert get("/python/drawn").text == "drawn"

# Count, find, get.
pattern = NearMissMatchPatternRequest(url_path_pattern="/python/p.*", method="GET")
assert Requests.get_matching_request_count(pattern).count == 3
found = Requests.get_matching_requests(pattern).requests
assert [request.url for request in found] == ["/python/priority", "/python/page", "/python/priority"]
everything = Requests.get_all_received_requests()
assert everything.meta.total == len(everything.requests) and everything.request_journal_disabled is False
first = everything.requests[-1]
assert first.request.url == "/python/hello?q=a+b" and first.response_definition.status == 201
assert Requests.get_request(first.id).request.method == "POST"

# Unmatched requests and near misses.
assert get("/python/invoices").status_code == 404
unmatched = Requests.get_unmatched_requests().requests
assert [request.url for request in unmatched] == ["/python/invoices"]
misses = Requests.get_unmatched_requests_near_misses().near_misses
assert 1 <= len(misses) <= 3 and 0 < misses[0].match_result.distance < 0.2
assert misses[0].request.url == "/python/invoices"
misses = NearMisses.find_nearest_misses_by_request(NearMissMatchRequest(url="/python/invoic", method="GET"))
assert 1 <= len(misses.near_misses) <= 3
nearest = NearMisses.find_nearest_misses_by_request_pattern(NearMissMatchPatternRequest(url="/python/invoice", method="GET"))
assert nearest.near_misses[0].match_result.distance == 0 and nearest.near_misses[0].request_pattern.url == "/python/invoice"

# By metadata; what is not done is said.
Mappings.delete_mapping_by_metadata({WireMockMatchers.MATCHES_JSON_PATH: "$[?(@.suite)]"})
Mappings.delete_mapping_by_metadata({WireMockMatchers.MATCHES_JSON_PATH: "$.suite"})
raises(NotFoundException, Mappings.retrieve_mapping, hello.id)
raises(ServerException, GlobalSettings.update_global_settings, GlobalSetting(fixed_delay=500))
raises(ClientException, Requests.get_all_received_requests, 5, "yesterday")

# Reset.
Requests.reset_request_journal()
assert Requests.get_matching_request_count(pattern).count == 0
Mappings.reset_mappings()
assert Mappings.retrieve_all_mappings().meta.total == 0
add(MappingRequest(method="GET", url="/python/last"), MappingResponse(status=200))
Mappings.delete_all_mappings()
assert get("/python/last").status_code == 404
print("driven by wiremock from PyPI")
