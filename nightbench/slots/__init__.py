"""Slots: the right to load a subject, which one run at a time has.

Nothing is imported here, so that who only wants `inherited` gets no more.
"""
