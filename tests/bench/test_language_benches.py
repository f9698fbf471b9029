"""The measures against others' sentences tell right from wrong."""

from pathlib import Path

from bench import duckling, ohf
from daemon.language.language import Language
from daemon.language.plan import Heard

INTENTS = """
language: pt-BR
areas: [{name: Cozinha}]
entities: [{name: Luz da pia, domain: light, area: Cozinha}, {name: Luz do forno, domain: light, area: Cozinha}]
tests:
  - sentences: [acende as luzes da cozinha]
    slots: {area: Cozinha, domain: light}
  - sentences: [acende a luz da pia]
    slots: {name: Luz da pia}
  - sentences: [acende a luz do forno]
    slots: {name: Luz da pia}
  - sentences: [acende um fósforo]
    slots: {area: Cozinha, domain: light}
"""
MOMENTS = """
allExamples = concat
  [ examples (datetime (2013, 2, 13, 20, 0, 0) Hour)
             [ "amanhã às 20h"
             , "hoje às 20h"
             ]
  , examples (datetime (2013, 2, 11, 0, 0, 0) Day)
             [ "ontem"
             ]
  ]
"""


def test_sentences_pass_with_the_right_things_only(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "pt-BR" / "HassTurnOn"
    folder.mkdir(parents=True)
    (folder / "lamps.yaml").write_text(INTENTS, "utf-8")
    language = Language()
    passed = [
        ohf.passes(case, language.understand(Heard(case.text, ohf.NOW, ohf.SPEAKER), case.house))
        for case in ohf.cases(tmp_path)
    ]
    assert passed == [True, True, False, False]


def test_future_moments_are_counted_and_wrong_ones_told(tmp_path: Path) -> None:
    folder = tmp_path / "Duckling" / "Time" / "PT"
    folder.mkdir(parents=True)
    (folder / "Corpus.hs").write_text(MOMENTS, "utf-8")
    total, wrong = duckling.moments(tmp_path)
    assert total == 2
    assert [line.split(":")[0] for line in wrong] == ["'hoje às 20h'"]
