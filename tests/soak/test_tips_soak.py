"""Ten thousand generated tips, and ten thousand drafted from generated cases: all may be sent."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.synthetic.drafts import drafted_tip
from tests.synthetic.ncmec_schema import SCHEMAS
from tests.synthetic.tips import NOW, generated_tip

from nightlight.model.cybertip import CyberTip
from nightlight.report.check import check_documents
from nightlight.report.document import file_details_xml, report_xml
from nightlight.report.reporter import Contact, Reporter
from nightlight.report.schema import Schema

pytestmark = pytest.mark.soak

_REPORTER = Reporter(person=Contact(first_name="Zor", email="d@example.test"))


@pytest.mark.parametrize("make", [generated_tip, drafted_tip])
def test_ten_thousand_tips_follow_every_schema_and_every_rule(
    make: Callable[[int], CyberTip],
) -> None:
    schemas = [Schema(one) for one in SCHEMAS]
    for seed in range(10_000):
        tip = make(seed)
        report = report_xml(tip, reporter=_REPORTER)
        files = [
            (file_details_xml(one, remote_id="1", file_id="f"), one.viewed is True)
            for one in tip.files
        ]
        for schema in schemas:
            check_documents(report, files, schema=schema, now=NOW + timedelta(hours=1))
