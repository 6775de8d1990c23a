"""Makes an instrument out of the text of its file; the format is that of the files beside this module."""

import math
import tomllib

from caregraph.scoring.bands import ResultRange
from caregraph.scoring.errors import SpecCode, SpecError
from caregraph.scoring.norms import Norm
from caregraph.scoring.parts import Item, MissingRule, Scale, ScaleItem, Scope, ScoreConfig, ScoreKind, Variable
from caregraph.scoring.spec import ScoringSpec

from .fields import Fields
from .model import Choice, Cutoff, Flag, Instrument, InstrumentItem, Licence, ReliableChange, Sureness, Vector


def read(text: str) -> Instrument:
    """Read an instrument from TOML; raises SpecError that names the place of what is wrong."""
    file = _parsed(text)
    shipped = _text_is_shipped(file)
    key, version = file.text("key"), file.text("version")
    items = _items(file)
    score_codes, sureness, configs = _scores(file)
    spec = ScoringSpec(
        items=tuple(_item(item) for item in items),
        scales=tuple(_scale(fields) for fields in file.tables("scales")),
        configs=configs,
        key=key,
        version=version,
    )
    instrument = Instrument(
        key=key,
        version=version,
        name=file.text("name"),
        title=file.text("title"),
        language=file.text("language"),
        text_is_shipped=shipped,
        text_sureness=file.choice("text_sureness", Sureness) if shipped else None,
        higher_is_better=file.truth("higher_is_better"),
        source=file.text("source"),
        instruction=file.text("instruction", ""),
        note=file.text("note", ""),
        panel_code=file.text("code", ""),
        licence=_licence(file.table("licence")),
        items=items,
        spec=spec,
        score_codes=score_codes,
        ranges_sureness=sureness,
        cutoffs=tuple(_cutoff(fields, spec) for fields in file.tables("cutoffs")),
        reliable_changes=tuple(_reliable_change(fields, spec) for fields in file.tables("reliable_changes")),
        flags=tuple(_flag(fields, items) for fields in file.tables("flags")),
        vectors=tuple(_vector(fields, spec) for fields in file.tables("vectors")),
    )
    file.done()
    return instrument


def _parsed(text: str) -> Fields:
    try:
        return Fields(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecError(SpecCode.FORMAT, f"This is no TOML: {error}") from None


def _text_is_shipped(file: Fields) -> bool:
    kind = file.text("text")
    if kind not in {"shipped", "neutral"}:
        raise file.wrong("Expected one of: shipped, neutral", "text")
    return kind == "shipped"


def _licence(fields: Fields) -> Licence:
    licence = Licence(
        status=fields.text("status"),
        notice=fields.text("notice"),
        source=fields.text("source"),
        sureness=fields.choice("sureness", Sureness),
        codes=fields.text("codes", ""),
    )
    fields.done()
    return licence


def _items(file: Fields) -> tuple[InstrumentItem, ...]:
    shared = _options(file)
    return tuple(_instrument_item(fields, shared) for fields in file.tables("items"))


def _options(fields: Fields) -> tuple[Choice, ...]:
    options = []
    for one in fields.tables("options"):
        options.append(Choice(one.number("value"), one.text("text"), one.text("code", "")))
        one.done()
    return tuple(options)


def _instrument_item(fields: Fields, shared: tuple[Choice, ...]) -> InstrumentItem:
    options = _options(fields) or (() if "minimum" in fields.data else shared)
    values = [option.value for option in options]
    item = InstrumentItem(
        key=fields.text("key"),
        text=fields.text("text"),
        options=options,
        minimum=fields.number("minimum", min(values, default=None)),
        maximum=fields.number("maximum", max(values, default=None)),
        code=fields.text("code", ""),
        note=fields.text("note", ""),
    )
    fields.done()
    return item


def _item(item: InstrumentItem) -> Item:
    values = tuple(option.value for option in item.options)
    return Item(item.key, item.minimum, item.maximum, values, item.text)


def _scale(fields: Fields) -> Scale:
    turned, weights = set(fields.texts("reversed")), dict(fields.pairs("weights"))
    key, label, items = fields.text("key"), fields.text("label", ""), fields.texts("items")
    for name, keys in (("reversed", turned), ("weights", weights)):
        for unknown in set(keys) - set(items):
            raise fields.wrong(f"{unknown!r} is not an item of this scale", name)
    fields.done()
    return Scale(key, tuple(ScaleItem(item, weights.get(item, 1.0), item in turned) for item in items), label)


def _scores(
    file: Fields,
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, Sureness], ...], tuple[ScoreConfig, ...]]:
    codes, sureness, configs = [], [], []
    for fields in file.tables("scores"):
        config = _config(fields)
        configs.append(config)
        if code := fields.text("code", ""):
            codes.append((config.key, code))
        if config.ranges:
            sureness.append((config.key, fields.choice("ranges_sureness", Sureness)))
        fields.done()
    return tuple(codes), tuple(sureness), tuple(configs)


def _config(fields: Fields) -> ScoreConfig:
    return ScoreConfig(
        key=fields.text("key"),
        of=fields.text("of"),
        kind=fields.choice("kind", ScoreKind),
        label=fields.text("label", ""),
        missing=MissingRule(fields.number("required_share", 1.0), fields.whole("required_count")),
        multiplier=fields.number("multiplier", 1.0),
        decimals=fields.whole("decimals"),
        expression=fields.text("expression", ""),
        variables=tuple(Variable(letter, key) for letter, key in fields.words("variables")),
        scope=fields.choice("scope", Scope) if "scope" in fields.data else None,
        norm=_norm(fields.table("norm")) if "norm" in fields.data else None,
        ranges=tuple(_range(one) for one in fields.tables("ranges")),
    )


def _norm(fields: Fields) -> Norm:
    norm = Norm(fields.number("mean"), fields.number("sd"), fields.text("source"))
    fields.done()
    return norm


def _range(fields: Fields) -> ResultRange:
    one = ResultRange(fields.number("start"), fields.number("end"), fields.text("label"))
    fields.done()
    return one


def _cutoff(fields: Fields, spec: ScoringSpec) -> Cutoff:
    cutoff = Cutoff(
        _score(fields, spec), fields.number("at_least"), fields.text("label"), fields.choice("sureness", Sureness)
    )
    fields.done()
    return cutoff


def _reliable_change(fields: Fields, spec: ScoringSpec) -> ReliableChange:
    change = ReliableChange(
        _score(fields, spec), fields.number("points"), fields.choice("sureness", Sureness), fields.text("source")
    )
    fields.done()
    return change


def _flag(fields: Fields, items: tuple[InstrumentItem, ...]) -> Flag:
    flag = Flag(fields.text("item"), fields.number("at_least"), fields.text("label"))
    if flag.item not in {item.key for item in items}:
        raise fields.wrong(f"There is no item {flag.item!r}", "item")
    fields.done()
    return flag


def _score(fields: Fields, spec: ScoringSpec) -> str:
    key = fields.text("score")
    if key not in spec.plan.outputs:
        raise fields.wrong(f"There is no score {key!r}", "score")
    return key


def _vector(fields: Fields, spec: ScoringSpec) -> Vector:
    vector = Vector(fields.numbers("answers"), fields.pairs("scores"), fields.words("ranges"))
    if len(vector.answers) != len(spec.items):
        raise fields.wrong(f"There are {len(spec.items)} items, not {len(vector.answers)}", "answers")
    for place, (answer, item) in enumerate(zip(vector.answers, spec.items, strict=True)):
        if not math.isnan(answer) and item.values and answer not in item.values:
            raise fields.wrong(f"{answer:g} is no answer to {item.key!r}", "answers", place)
    for name, keys in (("scores", vector.scores), ("ranges", vector.ranges)):
        for key, _ in keys:
            if key not in spec.plan.outputs:
                raise fields.wrong(f"There is no score {key!r}", name)
    fields.done()
    return vector
