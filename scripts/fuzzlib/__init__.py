"""Broken messages for every reader of what the venues send, made from good ones by one seed."""
