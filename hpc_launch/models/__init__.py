"""The shapes of everything that is read or written: profile, site profile, plan, record."""
