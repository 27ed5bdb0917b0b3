"""Packets, requests and clocks: how bytes get from one machine to another, and when they did."""
