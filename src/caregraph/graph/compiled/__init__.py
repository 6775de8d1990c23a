"""Compiled execution: queries answered level by level, one statement and one loop each, with graphql-core's answers.

graphql-core completes an answer value by value: a resolver, an info object and a path for each, a task for each
relation of each row. That is most of a query's time. Here a root field whose rows and relations are declared
(`Resource`, `node`, `one`, `many`) becomes a *plan*, and running the plan is reading rows and looping over them.

From a request to its answer:

1. `executor.py` is graphql-core's executor with one method of our own, `execute_field`. A root field of a query looks
   for its plan, known by its nodes in the document and the variables of `@include` and `@skip`; one without a plan is
   executed as ever. `starts.py` has the root fields: one row, rows by any id, a list.
2. `plans.py` plans: what graphql-core collects of a selection becomes a `Level`, the columns to read of a model, and
   per object type a `Shape`, the loop over its rows with the fields below. An interface has a shape for each type of
   the discriminator, and one loop for all of them where they need nothing but the rows. `loops.py` writes the loop, one
   comprehension of dictionaries, `leaves.py` the expression of each value, `pages.py` what connections have besides:
   edges, cursors, page information, counts.
3. `running.py` runs: rows of a level → answers of all that is below them (`below.py`), for all rows at once → the
   loop, which looks these answers up by key. Rows by id are shared by everything that asks in the same turn.
4. `statements.py` builds the statements out of what the loaders build theirs of, once per viewer and shape of a
   window; `db/snapshots.py` reads them on the driver's connection. Children of many parents are read all at once and
   cut to their windows here, unless they turn out to be many more than that: then the database cuts them.

What a plan cannot say is a *hole*: computed fields, methods with a context, anything unknown. graphql-core executes a
hole for every row of the level at the same time, so that its loaders batch, and the value is put where it belongs.

Nothing is worded here. Permissions and arguments are checked before a plan begins, and a field that fails there is
left to graphql-core. Whatever goes wrong later, a null where none may be included, gives the whole operation up
(`Run.failure`): `graph/execution.py` executes it from its beginning without plans, in a new snapshot. So plans
answer only queries, which may be executed twice; mutations and subscriptions read their few rows by loaders.

Access is that of every other read: statements start from `visible` and `Link.children`; `demand`, `visible_to` and the
row budget (`Context.spend_on`, by the loaders' own keys, so that a row costs the same on both ways) are called here as
there. `Run.read` is the one place that reads rows, `Run.count` the one that counts them; `Run.saw` and `Run.count` tell
the audit what the loaders would tell it.

`CAREGRAPH_EXECUTION=loaders` switches all of this off; tests/graph/test_differential.py holds both ways to the same
bytes.
"""
