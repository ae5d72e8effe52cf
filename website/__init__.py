"""The website: lessons, differences, guides and reports, as one folder of plain files.

In: the files of the lessons, their catalogue (`shared.examples`), and what is committed in
`reports/` and `docs/`. Out: a site that needs no server and asks no other one for anything.
`build.build` is all that others call; ``python -m website`` does. It loads no framework.

Read `page` (what a page is), `dialect` and `blocks` (from GitHub's Markdown to that of MkDocs, and
what is written in it), `links` (where a file of the repository is on the site); the pages:
`lessons` with `report_page` (what a report says, cut in pieces), `differences`, `guides` (documents
and reports as they are), `home`; and `build`, which puts them together. `theme` has the style
sheet.
"""
