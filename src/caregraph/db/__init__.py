"""Tables' common ground, connections and the tenant net under every statement."""
