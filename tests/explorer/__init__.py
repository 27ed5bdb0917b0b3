"""Every order of messages that a few parties and an attacker can bring about, tried on the core itself.

This is a test, not a proof. It runs `AgentSession`, `LandmarkSession`, `Challenger` and `Responder` as they are, and
looks at every state that they can come into within these bounds:

- at most two sessions, each of one agent and at most two honest landmarks, with three rounds, which is the least that
  gives a bound (four in one configuration); and besides these a session of the attacker's own;
- messages are changed, spliced or forged by one step at a time: `attacker` and `insider` list the steps;
- nothing is late (`ports` says why that adds orders and takes none away), and every round trip is 10 ms.

The attacker owns the network: whatever was ever sent, and whatever it makes of that, it delivers to anybody, at any
moment, in any order, any number of times, or not at all. It has an admitted landmark and an enrolled agent. It cannot
break signatures, tags, hashes or X25519, guess 16 bytes, read others' memory, alter clocks or be faster than light. How
soon an answer came is no matter here, only that it came after its challenge and from whom.

What must hold in every state:

- P1. A round counts only if the session's own agent answered that round's challenge, after it had received it, once,
  with keys of the BIND that the landmark took; and BIND names the session key of that agent's session.
- P2. Whatever an end takes was made by the right party for just this session and landmark; a stranger believes a
  measurement beside its own SESSION, BIND and CONTRIB alone.
- P3. What is refused changes nothing, a counter of what was ignored aside.
- P4. A landmark that has an ACK has it from an agent that gave exactly the answers of that CLOSE.
- P5. The honest run to measurements with an ACK is among the orders, or the others would show nothing.

How it can look at so much is in three steps. `tables` runs the core once for each local state of an end and each
message that there could ever be. `search` then finds which local states occur together, exactly, without running the
core. And where no step of one session needs a message of another, which P2 tells, any state of one occurs with any of
the other, so that sessions can be searched one by one; three tests search them as one all the same, and compare.
"""
