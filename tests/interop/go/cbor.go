package main

import (
	"bytes"
	"encoding/binary"
	"sort"
)

// decode reads deterministic CBOR (RFC 8949 §4.2.1) of the kinds that the ledger has: uint64, []byte, string, []any, map[uint64]any and
// nil. What encode would write otherwise is refused, so neither long heads nor unsorted or repeated keys get through.
func decode(data []byte) any {
	value, rest := decodeItem(data, 0)
	require(len(rest) == 0 && bytes.Equal(encode(value), data), "CBOR is not in its deterministic form")
	return value
}

func decodeItem(data []byte, depth int) (any, []byte) {
	require(len(data) > 0 && depth < 4, "CBOR is cut off, or deeper than anything of a ledger")
	major, number, data := data[0]>>5, uint64(data[0]&31), data[1:]
	if number >= 24 && number < 28 {
		width := 1 << (number - 24)
		require(len(data) >= width, "CBOR is cut off")
		number = binary.BigEndian.Uint64(append(make([]byte, 8-width), data[:width]...))
		data = data[width:]
	}
	switch {
	case major == 0:
		return number, data
	case major == 7 && number == 22:
		return nil, data
	}
	// A string of n bytes, or n items of a byte or more each.
	require(major >= 2 && major <= 5 && number <= uint64(len(data)), "CBOR is cut off, or of a kind that a ledger does not have")
	var item, key any
	switch major {
	case 2:
		return data[:number], data[number:]
	case 3:
		return string(data[:number]), data[number:]
	case 4:
		list := []any{}
		for ; number > 0; number-- {
			item, data = decodeItem(data, depth+1)
			list = append(list, item)
		}
		return list, data
	}
	members := map[uint64]any{}
	for ; number > 0; number-- {
		key, data = decodeItem(data, depth+1)
		item, data = decodeItem(data, depth+1)
		members[as[uint64](key)] = item
	}
	return members, data
}

func encode(value any) []byte {
	switch value := value.(type) {
	case uint64:
		return head(0, value)
	case []byte:
		return append(head(2, uint64(len(value))), value...)
	case string:
		return append(head(3, uint64(len(value))), value...)
	case []any:
		data := head(4, uint64(len(value)))
		for _, item := range value {
			data = append(data, encode(item)...)
		}
		return data
	case map[uint64]any:
		data, keys := head(5, uint64(len(value))), []uint64{}
		for key := range value {
			keys = append(keys, key)
		}
		sort.Slice(keys, func(i, j int) bool { return keys[i] < keys[j] })
		for _, key := range keys {
			data = append(append(data, encode(key)...), encode(value[key])...)
		}
		return data
	}
	return []byte{7<<5 | 22}
}

func head(major byte, number uint64) []byte {
	bytes := binary.BigEndian.AppendUint64(nil, number)
	switch {
	case number < 24:
		return []byte{major<<5 | byte(number)}
	case number < 1<<8:
		return append([]byte{major<<5 | 24}, bytes[7:]...)
	case number < 1<<16:
		return append([]byte{major<<5 | 25}, bytes[6:]...)
	case number < 1<<32:
		return append([]byte{major<<5 | 26}, bytes[4:]...)
	}
	return append([]byte{major<<5 | 27}, bytes...)
}

// as is value with the type that it must have.
func as[T any](value any) T {
	typed, is := value.(T)
	require(is, "CBOR has a value of another kind than it must have")
	return typed
}
