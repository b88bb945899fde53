"""Asks the live machine: what is it, and does a site profile say the same?"""
