"""The SQL that makes tables of events: an exhibit as it stands, and for other engines translated.

Sums are of whole numbers, so that their order does not matter and the same events give the same tables. `events` is a
view of all files; `declared` holds the accounts that were named as one, `public` the templates of public prompts,
`known` those of the clean period. A node is what an account belongs to: a set that was named, else its organisation,
else itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from depose.errors import UsageError
from depose.extraction.masking import CLASSES

NODE = "coalesce(d.node, e.org, e.account)"
SHARED_MOST = 50
"""Accounts of an address, a card or a client above which it is common property, such as that of a university."""


def translated(query: str, engine: str) -> str:
    """Return a query in the SQL of another engine, by sqlglot; raise UsageError for what that engine cannot say."""
    if engine == "duckdb":
        return query
    import sqlglot

    try:
        return sqlglot.transpile(
            query, read="duckdb", write=engine, pretty=True, unsupported_level=sqlglot.ErrorLevel.RAISE
        )[0]
    except (sqlglot.errors.SqlglotError, ValueError) as error:
        raise UsageError(f"{engine}: {str(error)[:200]}", hint="another --engine, or duckdb") from error


def accounts(first: str, before: str, part: int = 0, parts: int = 1) -> str:
    """Return the query of what each account did from a day to before a day; of one part of the accounts, of several.

    Its country is that of most of its requests, and none where most say none: who travels is at home somewhere.
    """
    of_part = f" AND coalesce(e.account % {parts}, 0) = {part}" if parts > 1 else ""
    shares = ",\n  ".join(
        f"sum(CASE WHEN floor(classes / {1 << place}) % 2 = 1 THEN 1 ELSE 0 END) AS {name}"
        for place, name in enumerate(CLASSES)
    )
    return f"""SELECT e.account, min({NODE}) AS node,
  min(e.tier) AS tier, min(h.country) AS country,
  sum(e.requests) AS requests, count(*) AS rows_, count(DISTINCT cast(e.ts AS DATE)) AS days,
  count(DISTINCT date_trunc('hour', e.ts)) AS hours,
  sum(CASE WHEN extract(hour FROM e.ts) < 6 THEN 1 ELSE 0 END) AS night,
  sum(CASE WHEN extract(isodow FROM e.ts) > 5 THEN 1 ELSE 0 END) AS weekend,
  count(e.template) AS templated, approx_count_distinct(e.template) AS templates,
  approx_count_distinct(e.prompt) AS prompts, count(e.prompt) AS prompted,
  approx_count_distinct(e.ip) AS ips, approx_count_distinct(e.model_served) AS models,
  sum(e.in_tok) AS in_tok, sum(e.out_tok) AS out_tok,
  sum(CASE WHEN e.out_tok >= e.max_tokens THEN 1 ELSE 0 END) AS at_cap,
  sum(CASE WHEN e.choices > 1 OR e.logprobs THEN 1 ELSE 0 END) AS samples,
  sum(CASE WHEN e.turns <= 1 THEN 1 ELSE 0 END) AS single,
  sum(CASE WHEN e.status <> 'ok' THEN 1 ELSE 0 END) AS errors,
  min(e.ts) AS first_at, max(e.ts) AS last_at,
  {shares}
FROM events e LEFT JOIN declared d ON d.account = e.account
LEFT JOIN (
  SELECT c.account, c.country FROM (
    SELECT e.account, e.country, row_number() OVER (
      PARTITION BY e.account ORDER BY sum(e.requests) DESC, coalesce(e.country, '')
    ) AS place
    FROM events e WHERE e.ts >= '{first}' AND e.ts < '{before}'{of_part} GROUP BY e.account, e.country
  ) c WHERE c.place = 1
) h ON h.account = e.account
WHERE e.ts >= '{first}' AND e.ts < '{before}'{of_part}
GROUP BY e.account"""  # noqa: S608


def held(first: str, before: str) -> str:
    """Return the query of which node used which template how often, and the classes of one of its prompts."""
    return f"""SELECT {NODE} AS node, e.template, cast(count(*) AS INTEGER) AS uses,
  max(coalesce(e.classes, 0)) AS classes
FROM events e LEFT JOIN declared d ON d.account = e.account
WHERE e.template IS NOT NULL AND e.ts >= '{first}' AND e.ts < '{before}'
GROUP BY {NODE}, e.template"""  # noqa: S608


def limit(most: int, share: float) -> str:
    """Return how many nodes a template may have at most: a number, or a share of the nodes where that is less."""
    return f"least({most}, greatest(8, {share} * (SELECT count(DISTINCT node) FROM held)))"  # noqa: S608


def rare(most: int, share: float) -> str:
    """Return the query of the rare among them: templates of two nodes or more, of few, and of no public prompt."""
    return f"""SELECT h.node, h.template, h.uses, r.nodes, r.classes
FROM held h JOIN (
  SELECT template, cast(count(*) AS INTEGER) AS nodes, max(classes) AS classes FROM held GROUP BY template
  HAVING count(*) >= 2 AND count(*) <= {limit(most, share)}
) r ON r.template = h.template
WHERE h.template NOT IN (SELECT template FROM public) AND h.template NOT IN (SELECT template FROM known)
ORDER BY h.node, h.template"""  # noqa: S608


def known(least: int) -> str:
    """Return the query of the templates that so many nodes or more used in the clean period: they are not new."""
    return f"SELECT template FROM held GROUP BY template HAVING count(*) >= {least}"  # noqa: S608


def dropped(most: int, share: float) -> str:
    """Return the query of how many templates were left out as common property, and how many uses with them."""
    return f"""SELECT count(*) AS templates, coalesce(sum(nodes), 0) AS uses FROM (
  SELECT template, count(*) AS nodes FROM held GROUP BY template HAVING count(*) > {limit(most, share)}
) q"""  # noqa: S608


def daily(first: str, before: str) -> str:
    """Return the query of how much each account asked each model on each day."""
    return f"""SELECT e.account, cast(e.ts AS DATE) AS day, e.model_served AS model,
  cast(sum(e.requests) AS BIGINT) AS requests
FROM events e WHERE e.ts >= '{first}' AND e.ts < '{before}'
GROUP BY e.account, cast(e.ts AS DATE), e.model_served"""  # noqa: S608


def slots(first: str, before: str, minutes: int, window: int, accounts_: str = "chosen") -> str:
    """Return the query of the slots in which each chosen account was active, numbered from the first day.

    A prompt that two of them ask within one window counts for neither: a task, a lesson or the news brings the same
    prompt to many at once, and who deals work out has no reason to.
    """
    slot = f"floor(epoch(e.ts - TIMESTAMP '{first} 00:00:00') / {60 * minutes})"
    beside = f"PARTITION BY e.template, floor(epoch(e.ts - TIMESTAMP '{first} 00:00:00') / {60 * window})"
    return f"""SELECT DISTINCT q.account, q.slot FROM (
  SELECT e.account, cast({slot} AS BIGINT) AS slot, e.template,
    min(e.account) OVER ({beside}) AS one, max(e.account) OVER ({beside}) AS other
  FROM events e JOIN {accounts_} c ON c.account = e.account
  WHERE e.ts >= '{first}' AND e.ts < '{before}'
) q
WHERE q.template IS NULL OR q.one = q.other
ORDER BY q.account, q.slot"""  # noqa: S608


def infrastructure(first: str, before: str, kinds: Sequence[str] = ("payment", "ip24", "agent", "tls")) -> str:
    """Return the query of what accounts have in common: a card, a network, a client; common property left out.

    `country` is what the requests of the account from there say.
    """
    parts = "\nUNION ALL\n".join(
        f"SELECT e.account, '{kind}' AS kind, e.{kind} AS value, min(e.country) AS country FROM events e "  # noqa: S608
        f"WHERE e.{kind} IS NOT NULL AND e.ts >= '{first}' AND e.ts < '{before}' GROUP BY e.account, e.{kind}"
        for kind in kinds
    )
    return f"""WITH each_ AS (
{parts}
), few AS (
  SELECT kind, value FROM each_ GROUP BY kind, value HAVING count(*) >= 2 AND count(*) <= {SHARED_MOST}
)
SELECT x.account, x.kind, x.value, x.country FROM each_ x JOIN few f ON f.kind = x.kind AND f.value = x.value
ORDER BY x.kind, x.value, x.account"""  # noqa: S608
