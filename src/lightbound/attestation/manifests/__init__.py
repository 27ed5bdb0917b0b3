"""Reference manifests: what firmware and driver should measure, as the vendor signs it. No agent imports it."""
