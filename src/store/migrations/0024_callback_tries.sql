-- A callback's id leads to its call by what was tried of it.

CREATE INDEX delivery_try_of_callback ON delivery_try (delivery) WHERE subscription = 0;
