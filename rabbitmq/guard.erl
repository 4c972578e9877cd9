%% Bounds what a client does with the queues and exchanges that it may declare: the broker's permissions know names, and
%% neither arguments nor numbers. `start` runs this file inside the broker. Promise: six seconds after a client has declared it
%% - a binding between exchanges that the definitions do not contain is removed;
%% - an exchange of a client is deleted: messages through it would evade the rights by type that bank.commands checks;
%% - a queue of a client is deleted if it dead-letters messages (which evades the same rights), rejects messages when it is
%%   full (the publisher would be a service with an event for everybody), or is a stream (which never expires);
%% - the client that declared such an object, that has more queues than it may or more than 2,000 bindings, that holds twice the
%%   permitted size of a queue without an acknowledgement (which no bound counts), or that publishes without committing (which
%%   keeps the messages in the broker's memory), is disconnected and locked out, until an operator lets it in again
%%   (`teller client add`). Its other queues stay, and their messages up to the bound;
%% and while a client has sent more than five seconds' worth of its rate, the broker reads nothing more of it.
{ok, Text} = file:read_file("/var/lib/rabbitmq/definitions.json"),
#{<<"bindings">> := Bindings} = rabbit_json:decode(Text),
Defined = [{Source, Destination, Key} || #{<<"source">> := Source, <<"destination">> := Destination,
    <<"destination_type">> := <<"exchange">>, <<"routing_key">> := Key} <- Bindings],
By = <<"guard">>,
Name = fun({resource, _, _, Part}) -> Part end,

Owner = fun(<<"client.", Rest/binary>>) -> hd(binary:split(Rest, <<".">>)); (_) -> none end,
LockOut = fun(User, Why) ->
    case catch rabbit_auth_backend_internal:get_user_limits(User) of
        #{<<"max-connections">> := 0} -> ok;
        _ ->
            logger:warning("guard: the client ~ts is locked out: ~ts", [User, Why]),
            catch rabbit_auth_backend_internal:set_user_limits(User, #{<<"max-connections">> => 0}, By)
    end,
    catch rabbit_networking:close_all_user_connections(User, "locked out by the guard: " ++ Why)
end,

BindingsMax = 2000,
UncommittedMax = 100,
Foreign = fun(VHost) ->
    All = rabbit_binding:list(VHost),
    Clients = [User || {binding, _, _, {resource, _, queue, _} = To, _} <- All, User <- [Owner(Name(To))], User =/= none],
    [LockOut(User, "it has more than " ++ integer_to_list(BindingsMax) ++ " bindings")
        || {User, Own} <- maps:to_list(maps:groups_from_list(fun(User) -> User end, Clients)), length(Own) > BindingsMax],
    [catch begin
        logger:warning("guard: removed a binding from ~ts to ~ts, key ~ts", [Name(From), Name(To), Key]),
        rabbit_binding:remove(Binding, By)
     end || {binding, From, Key, {resource, _, exchange, _} = To, _} = Binding <- All,
            not lists:member({Name(From), Name(To), Key}, Defined)]
end,
Exchanges = fun(VHost) ->
    [catch begin
        LockOut(Owner(Name(Exchange)), "it declared the exchange " ++ binary_to_list(Name(Exchange))),
        rabbit_exchange:delete(Exchange, false, By)
     end || Exchange <- [element(2, Found) || Found <- rabbit_exchange:list(VHost)], Owner(Name(Exchange)) =/= none]
end,

Argument = fun(Queue, Key) ->
    case lists:keyfind(Key, 1, amqqueue:get_arguments(Queue)) of {_, _, Value} -> Value; false -> none end
end,
Harm = fun(Queue) ->
    Overflow = Argument(Queue, <<"x-overflow">>),
    Dead = Argument(Queue, <<"x-dead-letter-exchange">>),
    Stream = Argument(Queue, <<"x-queue-type">>) =:= <<"stream">>,
    if
        Dead =/= none -> "dead-letters messages";
        Stream -> "is a stream";
        Overflow =/= none, Overflow =/= <<"drop-head">> -> "rejects messages when it is full";
        true -> none
    end
end,
Holds = fun(Queue) ->
    case {ets:lookup(queue_metrics, amqqueue:get_name(Queue)), rabbit_policy:get(<<"max-length-bytes">>, Queue)} of
        {[{_, Figures, _}], Bound} when is_integer(Bound) -> proplists:get_value(message_bytes, Figures, 0) > 2 * Bound;
        _ -> false
    end
end,
Limit = fun(Prefix, User) ->
    % Without a limit (an atom is greater than any number) the user is not a client.
    rabbit_runtime_parameters:value_global(binary_to_atom(<<Prefix/binary, User/binary>>))
end,
Queues = fun(VHost) ->
    Owned = [{Owner(Name(amqqueue:get_name(Queue))), Queue} || Queue <- rabbit_amqqueue:list(VHost)],
    Clients = [Both || {User, _} = Both <- Owned, User =/= none],
    [catch begin
        LockOut(User, "its queue " ++ binary_to_list(Name(amqqueue:get_name(Queue))) ++ " " ++ Harm(Queue)),
        rabbit_amqqueue:delete(Queue, false, false, By)
     end || {User, Queue} <- Clients, Harm(Queue) =/= none],
    [LockOut(User, "it acknowledges nothing of " ++ binary_to_list(Name(amqqueue:get_name(Queue))))
        || {User, Queue} <- Clients, (catch Holds(Queue)) =:= true],
    [LockOut(User, "it has more queues than the " ++ integer_to_list(Limit(<<"client_queues_">>, User)) ++ " that it may have")
        || {User, Own} <- maps:to_list(maps:groups_from_list(fun({User, _}) -> User end, Clients)),
            (catch length(Own) > Limit(<<"client_queues_">>, User)) =:= true]
end,

% RabbitMQ has no rate for a user. It can block a connection, for want of memory or disk; `disc`, an old name of the second, is
% used by no alarm of today.
Received = fun(Connection) ->
    case catch gen:call(Connection, '$gen_call', {info, [recv_oct]}, 500) of
        {ok, {ok, [{recv_oct, Bytes}]}} when is_integer(Bytes) -> Bytes;
        _ -> none
    end
end,
Slow = fun(User, Connections, Seconds, {Before, Debts, Slowed}) ->
    Allowed = 1024 * Limit(<<"client_kib_per_second_">>, User),
    Now = maps:from_list([{Pid, Bytes} || Pid <- Connections, Bytes <- [Received(Pid)], Bytes =/= none]),
    Sent = lists:sum([Bytes - maps:get(Pid, Before, 0) || {Pid, Bytes} <- maps:to_list(Now)]),
    Debt = max(0, round(maps:get(User, Debts, 0) + Sent - Allowed * Seconds)),
    Was = lists:member(User, Slowed),
    Is = Debt > 5 * Allowed,
    [Pid ! {conserve_resources, disc, Is} || Is or Was, Pid <- Connections],
    [logger:warning("guard: the client ~ts has sent ~b KiB more than its rate: it is slowed down", [User, Debt div 1024]) || Is, not Was],
    {Now, Debt, Is}
end,
Hoards = fun() ->
    [catch LockOut(User, "it publishes without committing")
        || {Channel, Figures} <- ets:tab2list(channel_metrics),
            proplists:get_value(messages_uncommitted, Figures, 0) > UncommittedMax,
            {_, Facts} <- ets:lookup(channel_created, Channel),
            User <- [proplists:get_value(user, Facts)],
            is_integer(Limit(<<"client_queues_">>, User))]
end,
Rates = fun({At, Before, Debts, Slowed}) ->
    Time = erlang:monotonic_time(millisecond),
    Open = [{User, Pid} || {Pid, Facts} <- ets:tab2list(connection_created), User <- [proplists:get_value(user, Facts)], is_binary(User)],
    % A client that has disconnected keeps its debt.
    Known = maps:merge(maps:map(fun(_, _) -> [] end, Debts),
        maps:groups_from_list(fun({User, _}) -> User end, fun({_, Pid}) -> Pid end, Open)),
    Users = [{User, Slow(User, Pids, (Time - At) / 1000, {Before, Debts, Slowed})}
        || {User, Pids} <- maps:to_list(Known), is_integer(Limit(<<"client_kib_per_second_">>, User))],
    {Time, lists:foldl(fun({_, {Now, _, _}}, All) -> maps:merge(All, Now) end, #{}, Users),
        maps:from_list([{User, Debt} || {User, {_, Debt, _}} <- Users, Debt > 0]), [User || {User, {_, _, true}} <- Users]}
end,

Round = fun() ->
    [[catch Part(VHost) || Part <- [Foreign, Exchanges, Queues]] || VHost <- rabbit_vhost:list_names(),
        rabbit_exchange:exists(rabbit_misc:r(VHost, exchange, <<"bank.commands">>))]
end,
% Looking at all objects costs the broker several milliseconds: it does so every fifth second.
Guard = fun Loop(Turn, Rated) ->
    Turn rem 5 =/= 0 orelse [catch Look() || Look <- [Round, Hoards]],
    Next = case catch Rates(Rated) of {_, _, _, _} = Found -> Found; _ -> Rated end,
    % `start healthy` asks how old this file is.
    catch file:write_file("/var/lib/rabbitmq/guard.alive", <<>>),
    timer:sleep(1000),
    Loop(Turn + 1, Next)
end,
catch exit(whereis(bankwire_guard), kill),
timer:sleep(100),
Start = {erlang:monotonic_time(millisecond), #{}, #{}, []},
register(bankwire_guard, spawn(fun() -> group_leader(whereis(init), self()), Guard(0, Start) end)),
ok.
