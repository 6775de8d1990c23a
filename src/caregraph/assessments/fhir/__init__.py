"""Assessments, answers and scores as resources of FHIR R4: pure functions from rows, and the fields that load these."""
