"""Clients, whom they belong to, and the labels they carry."""
