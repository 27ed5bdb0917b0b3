"""An agent: software beside the chips that only dials out. It answers challenges, and brings what came of them."""
