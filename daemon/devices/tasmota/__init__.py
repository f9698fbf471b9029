"""Tasmota's own announcements, which its firmware makes since 9.2, told in the form of Home Assistant's.

`tasmota/discovery/<MAC>/config` tells of relays, lamps, shutters and switches, `…/sensors` of what is measured; both
are retained. Each becomes the announcement of a device with its components, so that reading and commanding need nothing
new. Tasmota leaves no state with the broker and tells one every five minutes: it is asked whenever it comes on line.
Source: Tasmota's driver 12 and its documents on commands, and hatasmota, which sends the same bytes.
"""

from daemon.devices.tasmota.devices import BRANCH, FILTERS, Tasmotas

__all__ = ["BRANCH", "FILTERS", "Tasmotas"]
