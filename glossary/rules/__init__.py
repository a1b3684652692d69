"""The rules that `glossary.check` holds entries to, one module a subject."""
