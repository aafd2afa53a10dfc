-- The users that planning left, as COPY takes them back.
SELECT * FROM schedule.users;
