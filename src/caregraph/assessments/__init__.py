"""Assessments: what they are made of, who may use them, how they are scored, and the answers given to them."""
