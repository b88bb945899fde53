"""Every refusal of a profile, of a site profile and of a run: small functions that give problems, by what they compare.

`profile` (alone), `site` (alone), `profile_on_site`, `plan_on_site` (what is asked for against what there is).
"""
