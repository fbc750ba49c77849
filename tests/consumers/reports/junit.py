"""`python junit.py FILE…`: a line for each JUnit report: what the schema has against it, else what a reader finds in it."""

import json
import pathlib
import sys

import junitparser
import xmlschema

schema = xmlschema.XMLSchema(pathlib.Path(__file__).with_name("junit.xsd"))


def case(one):
    result = one.result[0] if one.result else None
    return {
        "name": one.name,
        "class": one.classname,
        "result": type(result).__name__ if result else "Passed",
        "message": result.message if result else None,
        "text": result.text if result else None,
    }


def numbers(report):
    return [report.tests, report.failures, report.errors, report.skipped]


def read(file):
    mistakes = [f"{error.path}: {error.reason}" for error in schema.iter_errors(file)]
    if mistakes:
        return {"mistakes": mistakes}
    report = junitparser.JUnitXml.fromfile(file)
    suites = [{"name": suite.name, "cases": [case(one) for one in suite]} for suite in report]
    # The numbers that the report says, and those that the reader counts.
    said = numbers(report)
    report.update_statistics()
    return {"said": said, "counted": numbers(report), "suites": suites}


for file in sys.argv[1:]:
    print(json.dumps(read(file)))
