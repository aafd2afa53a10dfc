-- An event is changed once for each of its deliveries that settles. With room on its page for what it becomes, none of its
-- three indexes is written then (HOT).
-- migrate:up
ALTER TABLE delivery.events SET (fillfactor = 50);
